#!/bin/sh
# clone.sh copy|verify DRYDOCK FOLDER FROM TO [MOVER]: copies the bucket FROM to TO, or reads both and compares them. FOLDER/clone
# says how far it came: state=some from the begin of the copy, state=copied at its end, state=all when it was found equal.
#
# Compared both ways: an object that only TO has was there before, or was deleted from FROM since it was copied, as by garbage
# collection. Then the clone is of no one state of FROM.
#
# Where one of them is no s3:// address, MOVER does it, a program of the operator: `MOVER copy FROM TO` copies, and `MOVER list
# ADDRESS` prints a line SIZE HASH NAME for each object. What it says of its copy is not believed: the two lists have to be equal, with
# a hash of the content in every line. It tells its progress in $DRYDOCK_PROGRESS, as drydock itself does: the step has no other limit.
#
# SIGTERM is the wish for a pause, and goes on to whoever is at work. A copy ends with 75 at a safe place, or well; one that is begun
# again goes on from there. A comparison changes nothing: it is cut off, and begins anew.
set -u
word=$1 drydock=$2 folder=$3 from=$4 to=$5
[ $# -ge 6 ] || set -- "$@" /bin/false
mover=$6 worker=
# Runs a program in the background: a shell looks at signals only when nothing is before it.
run() {
    worker=yes
    "$@" </dev/null &
    wait "$!"
    code=$?
    worker=
    return "$code"
}
pause() {
    [ -n "$worker" ] && [ -n "${!:-}" ] || exit 75
    kill "$!"
    wait "$!"
    code=$?
    [ "$word" = copy ] || exit 75
    [ "$code" != 0 ] || state copied || exit 1
    exit "$code"
}
trap pause TERM
state() {
    mkdir -p "$folder" && printf 'state=%s\nfrom=%s\nto=%s\n' "$1" "$from" "$to" >"$folder/clone.new" &&
        sync "$folder/clone.new" && mv "$folder/clone.new" "$folder/clone" && sync "$folder"
}
# The objects of an address, in one order. An empty list proves nothing: a program that fails may print one.
list() {
    run "$mover" list "$1" >"$2.new" || { echo "$mover list $1 failed"; return 1; }
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
    case $is_ours in
    yes) run "$drydock" copy "$from" "$to" --journal "$folder/clone.journal" || exit ;;
    no) run "$mover" copy "$from" "$to" || exit ;;
    esac
    state copied
    exit
    ;;
verify,yes) run "$drydock" verify "$from" "$to" && run "$drydock" verify "$to" "$from" ;;
verify,no) mkdir -p "$folder" && same ;;
*) exit 2 ;;
esac || {
    state some
    echo "$to was not found equal to $from: \`drydock log --json\` has the objects that differ, or why that is not known" >&2
    exit 1
}
state all
