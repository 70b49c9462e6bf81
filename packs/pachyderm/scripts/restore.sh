#!/bin/sh
# restore.sh PACHCTL FOLDER: restores FOLDER/metadata. What pachctl says goes to FOLDER/restore.log, which nobody else may read: from
# late 1.11 on it prints a new root token there, once.
#
# Its progress is how much of the file pachctl has read. pachd takes an op when it has done the one before, so it is never far behind.
set -u
umask 077
pachctl=$1 folder=$2
DRYDOCK_PROGRESS=$(printenv DRYDOCK_PROGRESS)
# Tells every two seconds how far process $1 has read its standard input, until it is ended.
progress() {
    [ -n "$DRYDOCK_PROGRESS" ] || return 0
    size=$(stat -c %s "$folder/metadata")
    while sleep 2; do
        at=$(sed -n 's/^pos:[[:space:]]*//p' "/proc/$1/fdinfo/0" 2>/dev/null)
        [ -n "$at" ] || continue
        printf '{"done": %s, "of": %s, "unit": "bytes"}\n' "$at" "$size" >"$DRYDOCK_PROGRESS.new" &&
            mv "$DRYDOCK_PROGRESS.new" "$DRYDOCK_PROGRESS"
    done
}
"$pachctl" restore <"$folder/metadata" >>"$folder/restore.log" 2>&1 &
worker=$!
progress "$worker" &
watcher=$!
wait "$worker"
code=$?
kill "$watcher" 2>/dev/null
sync "$folder/restore.log"
[ "$code" = 0 ] && exit 0
grep -v -i token "$folder/restore.log" | tail -n 5
echo "restore ended with exit code $code; see $folder/restore.log"
exit 1
