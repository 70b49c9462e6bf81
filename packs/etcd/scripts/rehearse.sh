#!/bin/sh
# rehearse.sh STEP SCRATCH RESULT OLD NEW ENDPOINT BACK: one step of a rehearsal on a copy of the data, in the folder SCRATCH
# and nowhere else. OLD and NEW are the releases' folders, BACK is the level to lower to where NEW has a call for that, else empty.
#   copy     a snapshot of the cluster at ENDPOINT, restored into SCRATCH/data as a cluster of one
#   old      starts OLD on it and notes what it holds
#   forward  starts NEW on it, waits until it serves, compares
#   back     starts OLD on it again, and notes whether it serves
#   away     writes RESULT, a file of JSON, and removes SCRATCH
# The copy's only client address is a socket in SCRATCH; its peer address is one of 127.0.0.1 that nobody knows. Each step ends
# the server that it started. Each may be repeated. A step notes what it found in SCRATCH/STEP.json, then its name in
# SCRATCH/stage.
set -eu
step=$1 scratch=$2 result=$3 old=$4 new=$5 endpoint=$6 back=$7
export ETCDCTL_API=3
unset ETCD_NAME ETCD_DATA_DIR ETCD_INITIAL_CLUSTER ETCDCTL_ENDPOINTS 2>/dev/null || true
umask 077
socket=unix://copy.sock:0
peer=http://127.0.0.1:1

put() {
    printf '%s\n' "$2" > "$1.part"
    sync "$1.part"
    mv "$1.part" "$1"
}

note() {
    put "$scratch/$step.json" "$1"
    put "$scratch/stage" "$step"
}

# Ends what a killed attempt left: servers whose folder is SCRATCH.
clear() {
    here=$(cd "$scratch" 2>/dev/null && pwd -P) || return 0
    for link in /proc/[0-9]*/cwd; do
        [ "$(readlink "$link" 2>/dev/null)" = "$here" ] || continue
        pid=${link#/proc/}
        kill -9 "${pid%/cwd}" 2>/dev/null || true
    done
}

now_ms() { date +%s%3N; }

# Starts the release's server on the copy; its id is in $server.
start() {
    rm -f "$scratch"/copy.sock:*
    (cd "$scratch" && exec "$1/etcd" --name copy --data-dir data --listen-client-urls "$socket" \
        --advertise-client-urls "$socket" --listen-peer-urls http://127.0.0.1:0 \
        --initial-advertise-peer-urls "$peer" --initial-cluster "copy=$peer" --initial-cluster-token rehearsal \
        > "$step.log" 2>&1) &
    server=$!
    trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
}

ctl() { (cd "$scratch" && "$@" 2>/dev/null); }

# True once it serves; false when it has ended, or after a minute.
serves() {
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || return 1
        ctl timeout 5 "$1/etcdctl" --endpoints "$socket" endpoint health > /dev/null && return 0
        sleep 0.2
    done
    return 1
}

end() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    trap - EXIT
}

hash_of() {
    ctl "$1/etcdctl" --endpoints "$socket" endpoint hashkv -w json | sed -n 's/.*"hash":\([0-9]*\).*/\1/p'
}

field() { sed -n "s/.*\"$2\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p" "$scratch/$1.json" 2>/dev/null; }

clear
case $step in
copy)
    rm -rf "$scratch"
    mkdir -p "$scratch"
    timeout 90 "$old/etcdctl" --endpoints "$endpoint" snapshot save "$scratch/snapshot.db"
    "$old/etcdctl" snapshot restore "$scratch/snapshot.db" --name copy --data-dir "$scratch/data" \
        --initial-cluster "copy=$peer" --initial-advertise-peer-urls "$peer" --initial-cluster-token rehearsal
    note '{"done":true}' ;;
old)
    start "$old"
    serves "$old"
    hash=$(hash_of "$old")
    end
    note "{\"hash\":\"$hash\"}" ;;
forward)
    begun=$(now_ms)
    start "$new"
    if serves "$new"; then
        took=$(($(now_ms) - begun))
        hash=$(hash_of "$new")
        sleep 5 # the level rises by itself within 4.2 s
        if [ -n "$back" ]; then
            ctl timeout 30 "$new/etcdctl" --endpoints "$socket" downgrade enable "$back" > /dev/null || true
            sleep 5
        fi
        end
        note "{\"serves\":true,\"hash\":\"$hash\",\"took_ms\":$took}"
    else
        end
        words=$(tail -n 1 "$scratch/forward.log" | tr -cd 'A-Za-z0-9 .,:;()/_-' | cut -c 1-300)
        note "{\"serves\":false,\"hash\":\"\",\"took_ms\":0,\"failed\":\"$words\"}"
    fi ;;
back)
    begun=$(now_ms)
    start "$old"
    if serves "$old"; then
        took=$(($(now_ms) - begun))
        hash=$(hash_of "$old")
        end
        note "{\"way\":\"open\",\"hash\":\"$hash\",\"took_ms\":$took}"
    else
        end
        note '{"way":"closed","hash":"","took_ms":0}'
    fi ;;
away)
    if [ -e "$scratch/back.json" ]; then
        was=$(field old hash) is=$(field forward hash) again=$(field back hash) way=$(field back way)
        forward=true same=true
        [ "$(field forward serves)" = true ] || forward=false
        [ "$was" = "$is" ] || same=false
        [ "$way" = closed ] || [ "$was" = "$again" ] || same=false
        mkdir -p "$(dirname "$result")"
        printf '{"forward":%s,"forward_ms":%s,"same_data":%s,"way_back":"%s","back_ms":%s,"digest":"%s","failed":"%s","at":"%s"}\n' \
            "$forward" "$(field forward took_ms)" "$same" "$way" "$(field back took_ms)" "$was" "$(field forward failed)" \
            "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$result.part"
        sync "$result.part"
        mv "$result.part" "$result"
    fi
    rm -rf "$scratch" ;;
*)
    exit 2 ;;
esac
