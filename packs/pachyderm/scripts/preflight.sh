#!/bin/sh
# preflight.sh PROGRAM RELEASE FOLDER: runs PROGRAM RELEASE, which runs `pachd --mode=preflight` of the new release and prints its log.
# FOLDER/preflight says state=passed if the log says so; the exit code of neither tells.
set -u
program=$1 release=$2 folder=$3
mkdir -p "$folder" || exit 1
"$program" "$release" >"$folder/preflight.log" 2>&1 </dev/null
tail -n 5 "$folder/preflight.log"
grep -q "all preflight checks OK; it is safe to upgrade this environment to Pachyderm" "$folder/preflight.log" || exit 1
printf 'state=passed\nrelease=%s\n' "$release" >"$folder/preflight.new" && mv "$folder/preflight.new" "$folder/preflight"
