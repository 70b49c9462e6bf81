#!/bin/sh
# clone.sh copy|verify DRYDOCK FOLDER FROM TO [MOVER]: copies the bucket FROM to TO, or reads both and compares them. FOLDER/clone
# says how far it came: state=some from the begin of the copy, state=all when it was found equal.
#
# Compared both ways: an object that only TO has was there before, or was deleted from FROM since it was copied, as by garbage
# collection. Then the clone is of no one state of FROM.
#
# Where one of them is no s3:// address, MOVER does it, a program of the operator: `MOVER copy FROM TO` copies, and `MOVER list
# ADDRESS` prints a line SIZE HASH NAME for each object. What it says of its copy is not believed: the two lists have to be equal, with
# a hash of the content in every line.
set -u
word=$1 drydock=$2 folder=$3 from=$4 to=$5
[ $# -ge 6 ] || set -- "$@" /bin/false
mover=$6
state() {
    mkdir -p "$folder" && printf 'state=%s\nfrom=%s\nto=%s\n' "$1" "$from" "$to" >"$folder/clone.new" &&
        sync "$folder/clone.new" && mv "$folder/clone.new" "$folder/clone" && sync "$folder"
}
# The objects of an address, in one order. An empty list proves nothing: a program that fails may print one.
list() {
    "$mover" list "$1" >"$2.new" </dev/null || { echo "$mover list $1 failed"; return 1; }
    LC_ALL=C sort "$2.new" >"$2" && rm "$2.new"
    [ -s "$2" ] || { echo "$mover lists no object of $1"; return 1; }
    ! grep -v -E '^[0-9]+ [^ -][^ ]* .' "$2" | sed 's/^/no size, hash and name: /' | head -n 5 | grep .
}
# diff's lines begin with < for what only FROM has, and with > for what only TO has.
same() {
    list "$from" "$folder/clone.from" && list "$to" "$folder/clone.to" || return 1
    cmp -s "$folder/clone.from" "$folder/clone.to" && return 0
    diff "$folder/clone.from" "$folder/clone.to" | grep '^[<>]' | head -n 20
    return 1
}
case $from,$to in
s3://*,s3://*) is_ours=yes ;;
*) is_ours=no ;;
esac
case $word,$is_ours in
copy,*)
    state some || exit 1
    [ "$is_ours" = yes ] || exec "$mover" copy "$from" "$to" </dev/null
    exec "$drydock" copy "$from" "$to" --journal "$folder/clone.journal" </dev/null
    ;;
verify,yes) "$drydock" verify "$from" "$to" </dev/null && "$drydock" verify "$to" "$from" </dev/null ;;
verify,no) mkdir -p "$folder" && same ;;
*) exit 2 ;;
esac || {
    state some
    echo "$to was not found equal to $from: \`drydock log --json\` has the objects that differ, or why that is not known" >&2
    exit 1
}
state all
