#!/usr/bin/env bash
# ozone.sh FOLDER RELEASE COPIES: an offline Ozone upgrade as a careful person would tune a script for it, to be measured beside
# drydock: the OMs prepared, everything stopped and started as parallel as Ozone allows, a cold copy with checksums that can be read again later,
# links switched, OMs started with --upgrade, and then writes. No journal, no plan, no checks before, no way back.
# FOLDER/members holds a line for each: ROLE NAME COPIED-FOLDERS; FOLDER/ozone the words of the ozone command; FOLDER/NAME/ pid, log, current.
set -euo pipefail
folder=$1 release=$2 copies=$3
mapfile -t members <"$folder/members"
mapfile -t ozone <"$folder/ozone"

each() { # each ROLES WHAT: for all members of these roles at once
    local line role name rest pids=()
    for line in "${members[@]}"; do
        read -r role name rest <<<"$line"
        case " $1 " in *" $role "*) "$2" "$role" "$name" "$rest" & pids+=($!) ;; esac
    done
    for line in "${pids[@]}"; do wait "$line"; done
}
stop() {
    local pid
    read -r pid _ <"$folder/$2/pid"
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null && [[ $(ps -o stat= -p "$pid") != Z* ]]; do sleep 0.02; done
}
sums() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum); }
copy() {
    local one
    mkdir -p "$copies/$2"
    for one in ${3//:/ }; do
        cp -a "$one" "$copies/$2/" &
        sums "$one" >"$copies/$2/${one##*/}.sha256"
        wait "$!"
    done
}
switch() {
    ln -sfn "$release" "$folder/$2/current.new"
    mv -T "$folder/$2/current.new" "$folder/$2/current"
}
start() {
    local flag=
    [[ $1 != om ]] || flag=--upgrade
    cd "$folder/$2"
    setsid java "@$folder/$2/current/$1.args" $flag >>log 2>&1 </dev/null &
    echo $! >pid
}

"${ozone[@]}" admin om prepare --service-id=omservice --transaction-apply-check-interval=1 | grep -q "All OMs are prepared"
each om stop
each "scm datanode" stop
each "scm datanode om" copy
each "scm datanode om" switch
each "scm datanode om" start
