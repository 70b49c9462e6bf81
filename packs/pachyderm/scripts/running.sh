#!/bin/sh
# running.sh KUBECTL KUBECONFIG CONTEXT NAMESPACE [any]: prints the tag of the image of deployment pachd, as 1.9.12. Prints nothing where
# there is no such deployment or namespace, or where it is scaled to 0; with `any` that tells nothing. What else goes wrong is an exit
# code.
set -u
[ $# -ge 5 ] || set -- "$1" "$2" "$3" "$4" running
kubectl=$1 kubeconfig=$2 context=$3 namespace=$4
said=$("$kubectl" --kubeconfig="$kubeconfig" --context="$context" --namespace="$namespace" get deployment pachd --ignore-not-found \
    --output='jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}' </dev/null) || exit 1
case $5,$said in
*, | running,'0 '*) ;;
*) printf '%s\n' "$said" | sed 's/.*://' ;;
esac
