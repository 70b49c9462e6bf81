#!/bin/sh
# address.sh PACHCTL NODE PORT: tells the active context of pachctl's configuration that pachd answers at NODE:PORT. With NODE `-`
# pachctl has another way to pachd, and nothing is changed.
set -u
pachctl=$1 node=$2 port=$3
[ "$node" = - ] && exit 0
name=$("$pachctl" config get active-context </dev/null) || exit 1
exec "$pachctl" config update context "$name" --pachd-address="$node:$port" </dev/null
