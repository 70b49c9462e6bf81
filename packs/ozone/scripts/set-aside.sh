#!/bin/sh
# set-aside.sh FOLDER RUN: moves FOLDER to FOLDER.before-RUN and leaves an empty one of the same owner. May be repeated.
# Owner and mode are only given to an empty folder that is held, and never through a link that somebody put there.
set -eu
aside=$1.before-$2
[ -e "$aside" ] || mv -T "$1" "$aside"
[ ! -L "$1" ] || { echo "$1 is a link, and is left as it is" >&2; exit 1; }
[ -d "$1" ] || mkdir "$1"
cd -P "$1"
[ -z "$(ls -A .)" ] || { echo "$1 is not empty" >&2; exit 1; }
chown -h --reference="$aside" .
chmod --reference="$aside" .
