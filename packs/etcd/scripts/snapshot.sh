#!/bin/sh
# snapshot.sh ETCDCTL ENDPOINT COPY: takes a snapshot to COPY and proves it by restoring it into a scratch folder.
# COPY.proved, written last, holds what `snapshot status` says of it. May be repeated: a copy that is proved already is
# kept as .older, and nothing half-made ever has the name COPY.
set -eu
etcdctl=$1 endpoint=$2 copy=$3
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
