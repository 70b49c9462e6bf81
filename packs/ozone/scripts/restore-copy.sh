#!/bin/sh
# restore-copy.sh COPY RUN: puts the folders of a cold copy back in their places. Each old folder stays beside as .before-RUN. May
# be repeated: a folder is copied under another name, and only then takes its place.
set -eu
copy=$1 run=$2
for list in "$copy"/*.folder; do
    folder=$(cat "$list")
    aside=$folder.before-$run
    if [ -e "$aside" ] && [ -e "$folder" ]; then continue; fi
    rm -rf "$folder.part"
    cp -a --reflink=auto "${list%.folder}" "$folder.part"
    (cd "$folder.part" && if [ -s "${list%.folder}.sha256" ]; then sha256sum --check --quiet "${list%.folder}.sha256"; fi)
    [ -e "$aside" ] || mv "$folder" "$aside"
    mv "$folder.part" "$folder"
    sync -f "$folder"
    echo "$folder is as it was copied"
done
