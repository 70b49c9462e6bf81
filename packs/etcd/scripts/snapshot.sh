#!/bin/sh
# snapshot.sh ETCDCTL ENDPOINT COPY CLUSTER KEEP: takes a snapshot to COPY and proves it by restoring it into a scratch folder.
# COPY.proved, written last, holds what `snapshot status` says of it. May be repeated: a copy that is proved already is
# kept as .older, and nothing half-made ever has the name COPY. Once it is proved, the oldest proved copies of this cluster
# beside it are removed, so that KEEP of them stay.
set -eu
etcdctl=$1 endpoint=$2 copy=$3 cluster=$4 keep=$5
export ETCDCTL_API=3
umask 077
mkdir -p "$(dirname "$copy")"
rm -rf "$copy.part" "$copy.part.part" "$copy.scratch"
# 3.4's `snapshot save` never gives up by itself.
timeout 90 "$etcdctl" --endpoints "$endpoint" snapshot save "$copy.part"
"$etcdctl" snapshot restore "$copy.part" --data-dir "$copy.scratch"
ls "$copy.scratch"/member/wal/*.wal "$copy.scratch"/member/snap/*.snap
rm -rf "$copy.scratch"
status=$("$etcdctl" snapshot status "$copy.part" -w json)
[ ! -e "$copy" ] || { rm -f "$copy.proved"; mv "$copy" "$copy.older"; }
mv "$copy.part" "$copy"
sync "$copy" "$(dirname "$copy")"
printf '%s\n' "$status" > "$copy.proved.part"
mv "$copy.proved.part" "$copy.proved"
printf '%s\n' "$status"
# Run ids begin with the time, so that names sort by age; this one is the newest and always stays.
day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]' time='[0-9][0-9][0-9][0-9][0-9][0-9]'
find "$(dirname "$(dirname "$copy")")" -path "*/$cluster-$day-$time-????/snapshot.db.proved" | sort -r | tail -n +"$((keep + 1))" |
    while read -r old; do
        [ "$old" = "$copy.proved" ] || rm -rf "$(dirname "$old")"
    done
