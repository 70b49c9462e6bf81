#!/bin/sh
# context.sh PACHCTL: prints the namespace of pachctl's active context. A context without one means `default`.
set -u
name=$("$1" config get active-context </dev/null) || exit 1
said=$("$1" config get context "$name" </dev/null) || exit 1
namespace=$(printf '%s' "$said" | tr -d '\n' | sed -n 's/.*"namespace"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
[ -n "$namespace" ] || namespace=default
printf '%s\n' "$namespace"
