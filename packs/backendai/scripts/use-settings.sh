#!/bin/sh
# use-settings.sh FILE SERIES: points the link FILE to the form FILE.SERIES beside it, in one step. A FILE that is no link, and has
# no such form beside it, stays: it serves both.
set -eu
file=$1 series=$2
if [ ! -e "$file.$series" ]; then
    [ ! -L "$file" ] || { echo "there is no $file.$series" && exit 1; }
    exit 0
fi
[ ! -e "$file" ] || [ -L "$file" ] || { echo "$file is no link: move it to $file.OLD-SERIES and make it one" && exit 1; }
ln -sfn "$(basename "$file").$series" "$file.drydock"
mv -T "$file.drydock" "$file"
