#!/bin/sh
# database.sh dump|restore FOLDER TOOLS HOST PORT USER NAME: dumps database NAME into FOLDER/pachyderm.dump, or puts it back in one
# transaction. A dump has its name only when it was written to its end and its list could be read.
#
# Progress of a dump: how large its file is. Of a restore: how many items of the dump's list are done, and how much of the file was
# read. The indexes come last and read nothing, so one of them is the longest time in which nothing moves.
set -u
umask 077
word=$1 folder=$2 tools=$3 host=$4 port=$5 user=$6 name=$7
DRYDOCK_PROGRESS=$(printenv DRYDOCK_PROGRESS)
# Runs a program, and tells every two seconds what `figures` with its process id says; with no figures nothing is told.
watched() {
    "$@" </dev/null &
    worker=$!
    while [ -n "$DRYDOCK_PROGRESS" ] && sleep 2; do
        told=$(figures "$worker") && [ -n "$told" ] || continue
        printf '%s\n' "$told" >"$DRYDOCK_PROGRESS.new" && mv "$DRYDOCK_PROGRESS.new" "$DRYDOCK_PROGRESS"
    done &
    watcher=$!
    wait "$worker"
    code=$?
    kill "$watcher" 2>/dev/null
    return "$code"
}
# How far a process has read a file of which it has one descriptor.
position() {
    for one in "/proc/$1/fd/"*; do
        [ "$(readlink "$one")" = "$2" ] && sed -n 's/^pos:[[:space:]]*//p' "/proc/$1/fdinfo/${one##*/}" && return
    done 2>/dev/null
    echo 0
}
case $word in
dump)
    figures() {
        size=$(stat -c %s "$folder/dump.part" 2>/dev/null) && printf '{"done": %s, "unit": "bytes"}' "$size"
    }
    mkdir -p "$folder" && rm -f "$folder/dump.part" || exit 1
    watched "$tools/pg_dump" --format=custom --host="$host" --port="$port" --username="$user" --no-password \
        --file="$folder/dump.part" "$name" || exit 1
    "$tools/pg_restore" --list "$folder/dump.part" >/dev/null </dev/null || exit 1
    sync "$folder/dump.part" && mv "$folder/dump.part" "$folder/pachyderm.dump" && sync "$folder"
    ;;
restore)
    dump=$(readlink -f "$folder/pachyderm.dump")
    items=$("$tools/pg_restore" --list "$dump" </dev/null | grep -c '^[0-9]') || { echo "the dump cannot be read"; exit 1; }
    said=$(mktemp) || exit 1
    trap 'rm -f "$said"' EXIT
    figures() {
        at=$(grep -c '^pg_restore: creating\|^pg_restore: processing\|^pg_restore: executing' "$said")
        [ "$at" -le "$items" ] || at=$items
        printf '{"done": %s, "of": %s, "unit": "items", "bytes": %s}' "$at" "$items" "$(position "$1" "$dump")"
    }
    restore() {
        exec "$tools/pg_restore" --verbose --clean --if-exists --single-transaction --host="$host" --port="$port" --username="$user" \
            --no-password --dbname="$name" "$dump" 2>"$said"
    }
    watched restore
    code=$?
    [ "$code" = 0 ] || { grep -v '^pg_restore: \(creating\|processing\|dropping\|connecting\|executing\)' "$said" | tail -n 20; exit 1; }
    ;;
*) exit 2 ;;
esac
