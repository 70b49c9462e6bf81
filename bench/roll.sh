#!/usr/bin/env bash
# roll.sh FOLDER RELEASE LEVEL: the rolling upgrade as a careful person would script it, to be measured beside drydock.
# The same work in the same order: a snapshot proved by a restore; followers first, leader last with leadership moved
# away; all three healthy before each stop; stop, switch the link, start, healthy and at the new version; leadership moved
# once more, and the level seen on every member. No journal, no plan, no identity, data or room checks, no way back.
# FOLDER/<member>/ holds what bench/run-roll writes there: url, command; and etcd.pid, current.
set -euo pipefail
folder=$1 release=$2 level=$3 pause=0.01
members=(m1 m2 m3)
declare -A url
for member in "${members[@]}"; do url[$member]=$(<"$folder/$member/url"); done

ask() { curl -fsS -m 5 "${url[$1]}$2" "${@:3}" 2>/dev/null; }
status() { ask "$1" /v3/maintenance/status -d '{}'; }
id_of() { status "$1" | sed 's/.*"member_id": *"\([0-9]*\)".*/\1/'; }
leads() { status "$1" | grep -q '"member_id": *"\([0-9]*\)".*"leader": *"\1"'; }
wait_for() { until "$@"; do sleep "$pause"; done; }
healthy() { ask "$1" /health >/dev/null; }
runs_new() { ask "$1" /version | grep -q "\"etcdserver\":\"${release##*-}\""; }
at_level() { ask "$1" /version | grep -q "\"etcdcluster\":\"$level\.0\""; }
follows() { ! leads "$1"; }
move_leadership() {
    ask "$1" /v3/maintenance/transfer-leadership -d "{\"targetID\":\"$(id_of "$2")\"}" >/dev/null
    wait_for follows "$1"
}

snapshot() {
    local etcdctl=$folder/$1/current/etcdctl copy=$folder/snapshot.db
    export ETCDCTL_API=3
    timeout 90 "$etcdctl" --endpoints "${url[$1]}" snapshot save "$copy.part"
    "$etcdctl" snapshot restore "$copy.part" --data-dir "$copy.scratch"
    ls "$copy.scratch"/member/wal/*.wal "$copy.scratch"/member/snap/*.snap
    rm -rf "$copy.scratch"
    "$etcdctl" snapshot status "$copy.part" -w json >"$copy.proved"
    mv "$copy.part" "$copy"
    sync "$copy" "$copy.proved" "$folder"
}

stop() {
    local pid
    pid=$(<"$folder/$1/etcd.pid")
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep "$pause"; done
}
switch() {
    ln -sfn "$release" "$folder/$1/current.new"
    mv -T "$folder/$1/current.new" "$folder/$1/current"
}
start() {
    local command
    mapfile -t command <"$folder/$1/command"
    setsid "${command[@]}" >>"$folder/$1/etcd.log" 2>&1 </dev/null &
    echo $! >"$folder/$1/etcd.pid"
}

order=()
for member in "${members[@]}"; do if leads "$member"; then leader=$member; else order+=("$member"); fi; done
snapshot "${order[0]}" &>"$folder/snapshot.log"
for member in "${order[@]}" "$leader"; do
    for other in "${members[@]}"; do wait_for healthy "$other"; done
    if leads "$member"; then move_leadership "$member" "${order[0]}"; fi
    stop "$member"
    switch "$member"
    start "$member"
    wait_for healthy "$member"
    runs_new "$member"
done
for member in "${members[@]}"; do if leads "$member"; then leader=$member; fi; done
for other in "${members[@]}"; do [[ $other == "$leader" ]] || next=$other; done
move_leadership "$leader" "$next"
for member in "${members[@]}"; do wait_for at_level "$member"; done
