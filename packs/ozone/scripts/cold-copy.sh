#!/bin/sh
# cold-copy.sh COPY FOLDERS FILE...: copies the FOLDERS (separated by colons) of a stopped server to COPY, and notes the SHA-256 of
# every original file. COPY.copied is written last. Nobody can write while this runs, so it does no more than that: whether what
# was written can be read again, prove-copy.sh tells when the servers run again. Each FILE has to be in the copy: without it,
# what is restored does not start. May be repeated.
set -eu
copy=$1 folders=$2
shift 2
umask 077
for file; do
    held=
    IFS=:
    for folder in $folders; do case $file in "$folder"/*) held=yes ;; esac done
    unset IFS
    [ -n "$held" ] || { echo "copy_dirs of the cluster file does not hold $file" && exit 1; }
    [ -e "$file" ] || { echo "there is no $file: a copy without it could not be started on again" && exit 1; }
done

# sha256sum writes whole lines, so that several may write to one file.
sums() { (cd "$1" && find . -type f -print0 | xargs -0r -n 16 -P "$(nproc)" sha256sum | LC_ALL=C sort -k 2); }

rm -rf "$copy.copied" "$copy.verified" "$copy.part"
mkdir -p "$copy.part"
number=0
IFS=:
for folder in $folders; do
    unset IFS
    number=$((number + 1))
    # Side by side, so that the disk is read once.
    cp -a --reflink=auto "$folder" "$copy.part/$number" &
    sums "$folder" >"$copy.part/$number.sha256"
    wait "$!"
    [ "$(wc -l <"$copy.part/$number.sha256")" -eq "$(find "$copy.part/$number" -type f | wc -l)" ] ||
        { echo "$folder could not be read, or somebody writes to it" && exit 1; }
    printf '%s\n' "$folder" >"$copy.part/$number.folder"
done
unset IFS
rm -rf "$copy"
mv "$copy.part" "$copy"
digest=$(cat "$copy"/*.sha256 | sha256sum | cut -d ' ' -f 1)
printf 'state=made\ndigest=%s\nfiles=%s\n' "$digest" "$(cat "$copy"/*.sha256 | wc -l)" >"$copy.copied.part"
mv "$copy.copied.part" "$copy.copied"
cat "$copy.copied"
