#!/bin/sh
# dump.sh make DRYDOCK FOLDER PACHCTL: dumps the metadata into FOLDER/metadata, without objects, and counts them against
# FOLDER/counts.json. The file has its name only when it was found whole, so a name is a proof.
# dump.sh check DRYDOCK FOLDER: 0 if FOLDER/metadata is whole, 1 if it is not there or is not.
#
# The flag --url is never used: with it every release from 1.7.0 to 1.13.4 ignores --no-objects.
set -u
umask 077
word=$1 drydock=$2 folder=$3
DRYDOCK_PROGRESS=$(printenv DRYDOCK_PROGRESS)
whole() {
    # `unproved` is exit 0, too: the file may have lost its end.
    said=$("$drydock" extract verify "$1" --against "$folder/counts.json" --json </dev/null) || { printf '%s\n' "$said"; return 1; }
    case $(printf '%s' "$said" | tr -d ' \n') in *'"verdict":"complete"'*) return 0 ;; esac
    printf '%s\n' "$said"
    return 1
}
# Tells every two seconds how large the file is, until it is ended.
progress() {
    [ -n "$DRYDOCK_PROGRESS" ] || return 0
    while sleep 2; do
        size=$(stat -c %s "$folder/metadata.part" 2>/dev/null) || continue
        printf '{"done": %s, "unit": "bytes"}\n' "$size" >"$DRYDOCK_PROGRESS.new" && mv "$DRYDOCK_PROGRESS.new" "$DRYDOCK_PROGRESS"
    done
}
case $word in
make)
    mkdir -p "$folder" && rm -f "$folder/metadata.part" || exit 1
    progress &
    watcher=$!
    "$4" extract --no-objects >"$folder/metadata.part" </dev/null
    code=$?
    kill "$watcher" 2>/dev/null
    [ "$code" = 0 ] || { echo "extract ended with exit code $code"; exit 1; }
    whole "$folder/metadata.part" || { echo "the dump is not whole: it stays as $folder/metadata.part"; exit 1; }
    sync "$folder/metadata.part" && mv "$folder/metadata.part" "$folder/metadata" && sync "$folder"
    ;;
check) [ -f "$folder/metadata" ] && whole "$folder/metadata" ;;
*) exit 2 ;;
esac
