#!/bin/sh
# raise.sh DRYDOCK CONFIG COPY: raises the schema, in one transaction. Under the same locks the metadata are copied again, since a job
# that does not call the link may have written since COPY was made. The new copy takes its place. May be repeated.
set -eu
drydock=$1 config=$2 copy=$3
umask 077
mkdir -p "$(dirname "$copy")"
rm -f "$copy.part"
"$drydock" store upgrade "$config" --copy "$copy.part"
[ ! -e "$copy.part" ] || mv "$copy.part" "$copy"
sync "$(dirname "$copy")"
