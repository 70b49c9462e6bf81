#!/bin/sh
# put-back.sh DRYDOCK CONFIG COPY RUN: puts the copy in the place of the metadata. What was there stays beside it: as a file, or in a
# schema of PostgreSQL. May be repeated.
set -eu
drydock=$1 config=$2 copy=$3 run=$4
path=$(sed -n 's|^engine *[:=] *sqlite:///||p' "$config")
if [ -z "$path" ]; then
    exec "$drydock" store upgrade "$config" --back "$copy" --keep-as "$(printf '%s' "$run" | tr 'A-Z-' 'a-z_' | tr -cd 'a-z0-9_' | tail -c 48)"
fi
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
