#!/bin/sh
# set-encryption.sh CONFIG 0|1 RUN: sets encryption_version in backy2's configuration. The file as it was stays beside it. May be
# repeated.
set -eu
config=$1 version=$2 run=$3
umask 077
[ -e "$config.before-$run" ] || cp -p "$config" "$config.before-$run"
cp -p "$config" "$config.part"
sed "s/^encryption_version[[:space:]]*[:=].*/encryption_version: $version/" "$config" >"$config.part"
grep -q "^encryption_version: $version\$" "$config.part"
chown --reference="$config" "$config.part"
sync "$config.part"
mv "$config.part" "$config"
sync "$(dirname "$config")"
