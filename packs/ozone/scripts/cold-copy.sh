#!/bin/sh
# cold-copy.sh COPY FOLDERS CLUSTER MEMBER KEEP FILE...: copies the FOLDERS (separated by colons) of a stopped server to COPY and
# proves the copy: every file of it is read again and has the SHA-256 of the original. COPY.verified is written last. Each FILE
# has to be in the copy: without it, what is restored does not start. May be repeated. KEEP proved copies of this member stay.
set -eu
copy=$1 folders=$2 cluster=$3 member=$4 keep=$5
shift 5
umask 077
for file; do
    held=
    IFS=:
    for folder in $folders; do case $file in "$folder"/*) held=yes ;; esac done
    unset IFS
    [ -n "$held" ] || { echo "copy_dirs of the cluster file does not hold $file" && exit 1; }
    [ -e "$file" ] || { echo "there is no $file: a copy without it could not be started on again" && exit 1; }
done

sums() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum); }

rm -rf "$copy.verified" "$copy.part"
mkdir -p "$copy.part"
number=0
IFS=:
for folder in $folders; do
    unset IFS
    number=$((number + 1))
    cp -a --reflink=auto "$folder" "$copy.part/$number"
    printf '%s\n' "$folder" >"$copy.part/$number.folder"
    sums "$folder" >"$copy.part/$number.sha256"
    sums "$copy.part/$number" | cmp - "$copy.part/$number.sha256"
done
unset IFS
rm -rf "$copy"
mv "$copy.part" "$copy"
sync -f "$copy"
digest=$(cat "$copy"/*.sha256 | sha256sum | cut -d ' ' -f 1)
printf 'digest=%s\nfiles=%s\n' "$digest" "$(cat "$copy"/*.sha256 | wc -l)" >"$copy.verified.part"
sync "$copy.verified.part"
mv "$copy.verified.part" "$copy.verified"
cat "$copy.verified"

# Run ids begin with the time, so that names sort by age; this one is the newest and always stays.
day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]' time='[0-9][0-9][0-9][0-9][0-9][0-9]'
find "$(dirname "$(dirname "$copy")")" -path "*/$cluster-$day-$time-????/$member.verified" | sort -r | tail -n +"$((keep + 1))" |
    while read -r old; do
        [ "$old" = "$copy.verified" ] || rm -rf "$old" "${old%.verified}"
    done
