#!/bin/sh
# clone.sh copy|verify DRYDOCK FOLDER FROM TO: copies the bucket FROM to TO, or reads both and compares them. FOLDER/clone says how
# far it came: state=some from the begin of the copy, state=all when it was found equal.
#
# Compared both ways: an object that only TO has was there before, or was deleted from FROM since it was copied, as by garbage
# collection. Then the clone is of no one state of FROM.
set -u
word=$1 drydock=$2 folder=$3 from=$4 to=$5
state() {
    mkdir -p "$folder" && printf 'state=%s\nfrom=%s\nto=%s\n' "$1" "$from" "$to" >"$folder/clone.new" &&
        sync "$folder/clone.new" && mv "$folder/clone.new" "$folder/clone" && sync "$folder"
}
case $word in
copy)
    state some || exit 1
    exec "$drydock" copy "$from" "$to" --journal "$folder/clone.journal" </dev/null
    ;;
verify)
    "$drydock" verify "$from" "$to" </dev/null && "$drydock" verify "$to" "$from" </dev/null || {
        state some
        echo "$to was not found equal to $from: \`drydock log --json\` has the objects that differ, or why that is not known" >&2
        exit 1
    }
    state all
    ;;
*) exit 2 ;;
esac
