#!/bin/sh
# as-rehearsed.sh TOOLS HOST PORT USER DATABASE RESULT: exit 0 if the database has the schema that rehearse.sh wrote to RESULT, 1 with
# both digests if not, 2 if nobody can tell.
set -eu
tools=$1 database=$5 result=$6
export PGHOST="$2" PGPORT="$3" PGUSER="$4" PGAPPNAME=drydock
[ -r "$result" ] || exit 2
rehearsed=$(sed -n 's/^digest=//p' "$result")
dump=$("$tools/pg_dump" -s --no-owner "$database") || exit 2
found=$(printf '%s\n' "$dump" | grep -Ev '^(--|\\(un)?restrict|$)' | sha256sum | cut -c 1-16)
echo "$found, rehearsed $rehearsed"
[ "$found" = "$rehearsed" ]
