#!/bin/sh
# raise.sh DRYDOCK CONFIG COPY: raises the schema, with a proved copy of the metadata in COPY. May be repeated: where nothing is left
# to raise no copy is made, and the earlier one stays; else a new copy takes its place.
set -eu
drydock=$1 config=$2 copy=$3
umask 077
mkdir -p "$(dirname "$copy")"
[ ! -e "$copy" ] || mv "$copy" "$copy.earlier"
"$drydock" store upgrade "$config" --copy "$copy"
[ -e "$copy" ] || [ ! -e "$copy.earlier" ] || mv "$copy.earlier" "$copy"
rm -f "$copy.earlier"
