#!/bin/sh
# close-containers.sh OZONE: asks SCM to close every open container, each by its own command, until it lists none. With writes
# refused no new one is opened. They are closed on the datanodes some time later (ozone.scm.close.container.wait.duration).
set -u
ozone=$1
end=$(($(date +%s) + 600))
while [ "$(date +%s)" -lt "$end" ]; do
    listed=$(timeout -k 5 60 "$ozone" admin container list --state=OPEN --count=1000 2>/dev/null </dev/null) || { sleep 2 && continue; }
    ids=$(printf '%s' "$listed" | tr -d ' \n' | grep -oE '"containerID":[^0-9]{0,8}[0-9]+' | grep -oE '[0-9]+$')
    [ -n "$ids" ] || exit 0
    # One that is closing already says so and fails: no matter.
    printf '%s\n' "$ids" | xargs -n 1 -P 4 timeout -k 5 60 "$ozone" admin container close 2>&1
done
exit 1
