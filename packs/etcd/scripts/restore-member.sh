#!/bin/sh
# restore-member.sh ETCDCTL COPY MEMBER DATA_DIR INITIAL_CLUSTER PEER_URL RUN
# Puts the snapshot COPY in the place of a stopped member's DATA_DIR, for a new cluster. The old folder stays beside it as
# DATA_DIR.before-RUN. May be repeated: a failed restore leaves its folder, and etcd would even start on it (healthy, and
# every write times out), so it is made under another name, looked at, and only then renamed.
set -eu
etcdctl=$1 copy=$2 member=$3 data_dir=$4 initial_cluster=$5 peer_url=$6 run=$7
export ETCDCTL_API=3
[ -e "$data_dir/.restored-by-$run" ] && { echo "restored already"; exit 0; }
new=$data_dir.restoring old=$data_dir.before-$run
rm -rf "$new"
"$etcdctl" snapshot restore "$copy" --name "$member" --data-dir "$new" --initial-cluster "$initial_cluster" \
    --initial-cluster-token "drydock-$run" --initial-advertise-peer-urls "$peer_url"
ls "$new"/member/wal/*.wal "$new"/member/snap/*.snap
touch "$new/.restored-by-$run"
if [ -e "$data_dir" ]; then
    [ ! -e "$old" ] || { echo "both $data_dir and $old exist: move one of them away" >&2; exit 1; }
    mv "$data_dir" "$old"
fi
mv "$new" "$data_dir"
sync "$(dirname "$data_dir")"
