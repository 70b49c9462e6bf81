#!/bin/sh
# copy.sh DRYDOCK CONFIG COPY: makes a copy of the metadata, reads it back and compares it. COPY gets its name only then, so that it is
# whole or not there. May be repeated.
set -eu
drydock=$1 config=$2 copy=$3
umask 077
mkdir -p "$(dirname "$copy")"
rm -f "$copy.part"
"$drydock" store upgrade "$config" --copy "$copy.part" --copy-only
mv "$copy.part" "$copy"
sync "$(dirname "$copy")"
