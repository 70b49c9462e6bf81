#!/bin/sh
# fsck.sh PACHCTL: 0 if fsck says that it found no errors, 1 if it told errors. Its own exit code is 0 in both cases.
set -u
said=$("$1" fsck </dev/null 2>&1) || { printf '%s\n' "$said" >&2; exit 2; }
printf '%s\n' "$said" >&2
case $said in
*"Error:"*) exit 1 ;;
*"No errors found."*) exit 0 ;;
*) exit 2 ;;
esac
