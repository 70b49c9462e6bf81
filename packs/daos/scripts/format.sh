#!/bin/sh
# format.sh DMG CONTROL: formats the storage of all servers. What is formatted by an older release is formatted anew. May be repeated.
set -eu
exec "$1" -o "$2" storage format --force
