#!/bin/sh
# put-back.sh DRYDOCK CONFIG COPY RUN: puts the copy in the place of SQLite metadata. What was there stays beside it. May be
# repeated.
set -eu
drydock=$1 config=$2 copy=$3 run=$4
path=$(sed -n 's|^engine *[:=] *sqlite:///||p' "$config")
[ -n "$path" ] || { echo "the metadata are not in SQLite: load $copy into an empty database by hand" && exit 1; }
umask 077
[ -e "$path.before-$run" ] || cp -a "$path" "$path.before-$run"
cp "$copy" "$path.part"
chmod --reference="$path" "$path.part"
chown --reference="$path" "$path.part"
sync "$path.part"
rm -f "$path-wal" "$path-shm" "$path-journal"
mv "$path.part" "$path"
sync "$(dirname "$path")"
"$drydock" store inspect "$config" --schema
