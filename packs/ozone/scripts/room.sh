#!/bin/sh
# room.sh COPY FOLDERS: whether the disk of COPY has room for the FOLDERS (separated by colons), and a tenth more.
set -eu
place=$1
while [ ! -d "$place" ]; do place=$(dirname "$place"); done
need=0
IFS=:
for folder in $2; do
    [ -d "$folder" ] || { echo "there is no folder $folder, which copy_dirs of the cluster file names" && exit 1; }
    # A log of a running server comes and goes meanwhile.
    need=$((need + $(du -sk "$folder" 2>/dev/null | cut -f 1)))
done
have=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
echo "the copy takes $need KiB; $place has $have KiB free"
[ $((need + need / 10)) -le "$have" ]
