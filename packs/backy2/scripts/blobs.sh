#!/bin/sh
# blobs.sh level|kept DRYDOCK CONFIG: "level" prints whether a plain blob is left: plain or encrypted. "kept" ends with 0 if every
# blob can be had in plain: none is encrypted by drydock, or the old blobs still lie beside the new ones. Once the journal has the record
# `free`, some of them may be gone.
set -eu
question=$1 drydock=$2 config=$3
told=$("$drydock" store encrypt "$config" --dry-run --quick --json) || case $told in
*blocks.schema*) ;; # of before 2.12: nothing can be encrypted
*) exit 2 ;;
esac
level=plain
if printf '%s' "$told" | grep -Eq '"to_do": *0([,} ]|$)'; then
    level=encrypted
fi
if [ "$question" = level ]; then
    echo "$level"
    exit 0
fi
journal=$(printf '%s' "$told" | sed -n 's/.*"journal": *"\([^"]*\)".*/\1/p')
[ "$level" = plain ] || { [ -n "$journal" ] && [ -e "$journal" ] && ! grep -q '"kind":"free"' "$journal"; }
