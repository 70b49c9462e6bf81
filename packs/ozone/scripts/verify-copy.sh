#!/bin/sh
# verify-copy.sh COPY: whether a cold copy still is what cold-copy.sh proved: reads every file of it.
set -eu
copy=$1
[ -e "$copy.verified" ] || { echo "$copy was never verified, or is not there" && exit 1; }
digest=$(cat "$copy"/*.sha256 | sha256sum | cut -d ' ' -f 1)
grep -qx "digest=$digest" "$copy.verified" || { echo "the list of checksums of $copy is not the one that was verified" && exit 1; }
for list in "$copy"/*.sha256; do
    [ ! -s "$list" ] || (cd "${list%.sha256}" && sha256sum --check --quiet "$list")
done
echo "$(cat "$copy"/*.sha256 | wc -l) files, each as it was copied"
