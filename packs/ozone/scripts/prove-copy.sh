#!/bin/sh
# prove-copy.sh COPY CLUSTER MEMBER KEEP: proves what cold-copy.sh has copied: brings it to the disk, reads every file of it again
# from there, and compares it with the SHA-256 of the original. COPY.verified is written last. May be repeated. KEEP proved
# copies of this member stay.
set -eu
copy=$1 cluster=$2 member=$3 keep=$4
rm -f "$copy.verified"
[ -e "$copy.copied" ] || { echo "$copy was never finished, or is not there" && exit 1; }
digest=$(cat "$copy"/*.sha256 | sha256sum | cut -d ' ' -f 1)
grep -qx "digest=$digest" "$copy.copied" || { echo "the list of checksums of $copy is not the one that was made with it" && exit 1; }
sync -f "$copy"
# What is read next comes from the disk, not from memory.
find "$copy" -type f -exec dd if={} iflag=nocache count=0 status=none \;
for list in "$copy"/*.sha256; do
    found=$(cd "${list%.sha256}" && find . -type f | wc -l)
    [ "$found" -eq "$(wc -l <"$list")" ] || { echo "${list%.sha256} has $found files, copied were $(wc -l <"$list")" && exit 1; }
    [ ! -s "$list" ] || (cd "${list%.sha256}" && sha256sum --check --quiet "$list")
done
sed 's/^state=made$/state=whole/' "$copy.copied" >"$copy.verified.part"
sync "$copy.verified.part"
mv "$copy.verified.part" "$copy.verified"
cat "$copy.verified"

# Run ids begin with the time, so that names sort by age; this one is the newest and always stays.
day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]' time='[0-9][0-9][0-9][0-9][0-9][0-9]'
find "$(dirname "$(dirname "$copy")")" -path "*/$cluster-$day-$time-????/$member.verified" | sort -r | tail -n +"$((keep + 1))" |
    while read -r old; do
        [ "$old" = "$copy.verified" ] || rm -rf "$old" "${old%.verified}.copied" "${old%.verified}"
    done
