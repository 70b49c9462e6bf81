#!/bin/sh
# prepare.sh OZONE SERVICE_ID SECONDS: prepares the OMs. It may fail for a while (flushes, elections), so it is tried for so long,
# as upstream's own test does. Exit code 0 of the command means a majority only: what counts is that it says "All OMs are prepared".
set -u
ozone=$1 service_id=$2 seconds=$3
end=$(($(date +%s) + seconds))
while :; do
    # The check interval is an option that its help does not show: 5 s by default, in which nothing can be written.
    said=$(timeout -k 5 "$seconds" "$ozone" admin om prepare --service-id="$service_id" --transaction-apply-check-interval=1 2>&1 </dev/null)
    printf '%s\n' "$said"
    case $said in *"All OMs are prepared"*) exit 0 ;; esac
    if [ "$(date +%s)" -ge "$end" ]; then
        echo "not all OMs are prepared after $seconds s"
        exit 1
    fi
    sleep 2
done
