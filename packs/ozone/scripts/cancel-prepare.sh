#!/bin/sh
# cancel-prepare.sh OZONE SERVICE_ID: takes the OMs out of prepare mode. May be repeated, also on OMs that are not prepared.
set -u
said=$(timeout -k 5 100 "$1" admin om cancelprepare --service-id="$2" 2>&1 </dev/null)
printf '%s\n' "$said"
case $said in *"Cancel prepare succeeded"*) exit 0 ;; esac
exit 1
