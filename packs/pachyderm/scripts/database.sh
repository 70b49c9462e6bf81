#!/bin/sh
# database.sh dump|restore FOLDER TOOLS HOST PORT USER NAME: dumps database NAME into FOLDER/pachyderm.dump, or puts it back in one
# transaction. A dump has its name only when it was written to its end and its list could be read.
set -u
umask 077
word=$1 folder=$2 tools=$3 host=$4 port=$5 user=$6 name=$7
case $word in
dump)
    mkdir -p "$folder" || exit 1
    "$tools/pg_dump" --format=custom --host="$host" --port="$port" --username="$user" --no-password --file="$folder/dump.part" "$name" \
        </dev/null || exit 1
    "$tools/pg_restore" --list "$folder/dump.part" >/dev/null </dev/null || exit 1
    sync "$folder/dump.part" && mv "$folder/dump.part" "$folder/pachyderm.dump" && sync "$folder"
    ;;
restore)
    "$tools/pg_restore" --clean --if-exists --single-transaction --host="$host" --port="$port" --username="$user" --no-password \
        --dbname="$name" "$folder/pachyderm.dump" </dev/null
    ;;
*) exit 2 ;;
esac
