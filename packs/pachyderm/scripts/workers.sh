#!/bin/sh
# workers.sh KUBECTL KUBECONFIG CONTEXT NAMESPACE: scales every ReplicationController of a pipeline's workers to 0, each by its name.
# pachd makes them anew when it is back.
set -u
at="--kubeconfig=$2 --context=$3 --namespace=$4"
# shellcheck disable=SC2086  # three words
names=$("$1" $at get rc --selector=suite=pachyderm,component=worker --output=name </dev/null) || exit 1
for name in $names; do
    # shellcheck disable=SC2086
    "$1" $at scale "$name" --replicas=0 </dev/null || exit 1
done
