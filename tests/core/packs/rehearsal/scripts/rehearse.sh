#!/bin/sh
# rehearse.sh STEP SCRATCH RESULT DATA: a copy of a member's folder, walked and taken away.
set -eu
step=$1 scratch=$2 result=$3 data=$4
case $step in
copy)
    rm -rf "$scratch"
    mkdir -p "$scratch"
    cp "$data/events" "$scratch/data" ;;
walk)
    echo walked >> "$scratch/data" ;;
away)
    if [ -e "$scratch" ]; then
        mkdir -p "$(dirname "$result")"
        echo '{"ok":true,"way_back":"open","ms":1500}' > "$result.part"
        mv "$result.part" "$result"
        rm -rf "$scratch"
    fi
    exit 0 ;;
esac
echo "$step" > "$scratch/stage"
