#!/bin/sh
# close-containers.sh OZONE: asks SCM to close every container that is open now, and waits until they are closed on the datanodes,
# which takes some time (ozone.scm.close.container.wait.duration). Writes are refused meanwhile. Clients that try all the same make
# OM ask SCM for blocks before it refuses them: containers that are opened for that stay empty, no datanode knows of them, and
# they do not matter. So only those that were there at the beginning are waited for.
set -u
ozone=$1

# The ids of containers in a state, one a line.
ids() {
    listed=$(timeout -k 5 60 "$ozone" admin container list --state="$1" --count=4000 2>/dev/null </dev/null) || return 1
    printf '%s' "$listed" | tr -d ' \n' | grep -oE '"containerID":[^0-9]{0,8}[0-9]+' | grep -oE '[0-9]+$'
    return 0
}
# Those of the second list that are in the first.
common() { printf '%s\n' "$2" | grep -Fx "$1"; }

wanted= known=
end=$(($(date +%s) + 840))
while [ "$(date +%s)" -lt "$end" ]; do
    if open=$(ids OPEN) && closing=$(ids CLOSING); then
        [ -n "$known" ] || { wanted="$open
$closing" && known=yes; }
        open=$(common "$wanted" "$open")
        closing=$(common "$wanted" "$closing")
        [ -n "$open$closing" ] || exit 0
        echo "open: $(echo $open), closing: $(echo $closing)"
        [ -z "$open" ] || printf '%s\n' "$open" | xargs -n 1 -P 4 timeout -k 5 60 "$ozone" admin container close 2>&1
    fi
    sleep 1
done
exit 1
