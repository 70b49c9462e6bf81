#!/bin/sh
# finalize.sh OZONE scm GRACE | finalize.sh OZONE om SERVICE_ID: finalizes, and waits until the server itself says that it is done.
# What it is told to do depends on what the server says, not on exit codes: the command is sent only on FINALIZATION_REQUIRED; a
# server that is finalizing goes on alone, also when this is killed and begun again.
set -u
ozone=$1 role=$2
id=
grace=0
if [ "$role" = om ]; then id=--service-id=$3; else grace=$3; fi
sent=0 safe_since=

status() {
    timeout -k 5 60 "$ozone" admin "$role" finalizationstatus ${id:+"$id"} 2>&1 </dev/null |
        grep -oE 'ALREADY_FINALIZED|FINALIZATION_DONE|FINALIZATION_REQUIRED|STARTING_FINALIZATION|FINALIZATION_IN_PROGRESS' | head -n 1
}

# An SCM that died while it finalized and a container was open stays in safe mode: in safe mode nothing closes the container, and
# the datanodes wait for that. Only if every other rule of the safe mode holds (datanodes and containers are there), it is ended.
end_safe_mode() {
    rules=$(timeout -k 5 60 "$ozone" admin safemode status --verbose 2>&1 </dev/null)
    case $rules in *" in safe mode"*) ;; *) safe_since= && return ;; esac
    : "${safe_since:=$(date +%s)}"
    [ $(($(date +%s) - safe_since)) -ge "$grace" ] || return
    printf '%s\n' "$rules"
    case $(printf '%s\n' "$rules" | grep 'validated:false' | grep -v 'PipelineSafeModeRule') in
    "") timeout -k 5 60 "$ozone" admin safemode exit 2>&1 </dev/null ;;
    *) echo "it is in safe mode for another reason, too: left alone" ;;
    esac
    safe_since=
}

end=$(($(date +%s) + 900))
while [ "$(date +%s)" -lt "$end" ]; do
    now=$(status)
    echo "$role: ${now:-does not answer}"
    case $now in
    ALREADY_FINALIZED | FINALIZATION_DONE) exit 0 ;;
    FINALIZATION_REQUIRED)
        [ "$sent" -lt 3 ] || exit 1
        sent=$((sent + 1))
        timeout -k 5 120 "$ozone" admin "$role" finalizeupgrade ${id:+"$id"} 2>&1 </dev/null
        ;;
    STARTING_FINALIZATION | FINALIZATION_IN_PROGRESS)
        [ "$role" = om ] || end_safe_mode
        sleep 2
        ;;
    *) sleep 2 ;;
    esac
done
echo "it has not ended within 15 minutes"
exit 1
