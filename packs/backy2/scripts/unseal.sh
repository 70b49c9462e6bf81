#!/bin/sh
# unseal.sh DRYDOCK CONFIG: gives all rows their old plain blobs back, if any row has a new one. May be repeated.
set -eu
drydock=$1 config=$2
told=$("$drydock" store encrypt "$config" --dry-run --json)
journal=$(printf '%s' "$told" | sed -n 's/.*"journal": *"\([^"]*\)".*/\1/p')
if [ -e "$journal" ]; then
    exec "$drydock" store encrypt "$config" --back
fi
