#!/bin/sh
# restore-database.sh TOOLS HOST PORT USER DATABASE COPY PYTHON CONFIG RUN: brings a proved dump back. It is restored under another
# name first; the database of now stays beside, as DATABASE_before_RUN. Then etcd's keys are put back. May be repeated.
set -eu
tools=$1 host=$2 port=$3 user=$4 database=$5 copy=$6 python=$7 config=$8 run=$9
export PGHOST="$host" PGPORT="$port" PGUSER="$user" PGAPPNAME=drydock
ask() { "$tools/psql" -XAtq -v ON_ERROR_STOP=1 -d postgres -c "$1"; }
exists() { [ "$(ask "select count(*) from pg_database where datname = '$1'")" = 1 ]; }

digest=$(sed -n 's/^digest=//p' "$copy.proved")
[ "$(sha256sum "$copy" | cut -d ' ' -f 1)" = "$digest" ] || { echo "$copy is not the dump that was proved" && exit 1; }
before="${database}_before_$(printf %s "$run" | tr -c 'a-z0-9\n' _)"
if ! exists "$before"; then
    "$tools/dropdb" --if-exists "${database}_part"
    "$tools/createdb" "${database}_part"
    "$tools/pg_restore" --exit-on-error --single-transaction -d "${database}_part" "$copy"
    ask "alter database \"$database\" rename to \"$before\""
fi
exists "$database" || ask "alter database \"${database}_part\" rename to \"$database\""

cd "$(dirname "$config")"
"$python" -m ai.backend.cli mgr etcd delete --prefix ""
"$python" -m ai.backend.cli mgr etcd put-json "" "$copy.etcd.json"
