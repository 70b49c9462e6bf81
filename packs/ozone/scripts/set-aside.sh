#!/bin/sh
# set-aside.sh FOLDER RUN: moves FOLDER to FOLDER.before-RUN and leaves an empty one of the same owner. May be repeated.
set -eu
aside=$1.before-$2
[ -e "$aside" ] || mv "$1" "$aside"
mkdir -p "$1"
chown --reference="$aside" "$1"
chmod --reference="$aside" "$1"
