#!/bin/sh
# dump.sh TOOLS HOST PORT USER DATABASE COPY PYTHON CONFIG CLUSTER KEEP: dumps the database to COPY and proves the dump by restoring
# it beside: schema, and count and digest of every table, have to be those of the database. etcd's keys go to COPY.etcd.json.
# COPY.proved is written last. Nobody may write meanwhile. May be repeated. The oldest proved copies of this cluster go.
set -eu
tools=$1 host=$2 port=$3 user=$4 database=$5 copy=$6 python=$7 config=$8 cluster=$9
shift 9
keep=$1
umask 077
folder=$(dirname "$copy")
proof=drydock_proof_$(printf %s "$copy" | cksum | cut -d ' ' -f 1)
mkdir -p "$folder"
export PGHOST="$host" PGPORT="$port" PGUSER="$user" PGAPPNAME=drydock

ask() { "$tools/psql" -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
# Schema and rows of a database. pg_dump since 15.14 writes a random word into its restrict lines.
describe() {
    "$tools/pg_dump" -s --no-owner "$1" | grep -Ev '^(--|\\(un)?restrict|$)'
    ask "$1" "select quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1" | while read -r table; do
        printf '%s ' "$table"
        ask "$1" "select count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0) from $table t"
    done
}

rm -f "$copy.proved" "$copy.part"
"$tools/pg_dump" -Fc -f "$copy.part" "$database"
"$tools/dropdb" --if-exists "$proof"
"$tools/createdb" "$proof"
trap '"$tools/dropdb" --if-exists "$proof"' EXIT
"$tools/pg_restore" --exit-on-error --single-transaction -d "$proof" "$copy.part"
describe "$database" >"$copy.described"
describe "$proof" | cmp - "$copy.described" || { echo "what the dump restores is not what the database holds" && exit 1; }
mv "$copy.part" "$copy"

cd "$(dirname "$config")"
"$python" -m ai.backend.cli mgr etcd get --prefix "" >"$copy.etcd.json"
"$python" -c 'import json, sys; assert json.load(open(sys.argv[1]))' "$copy.etcd.json" || { echo "etcd gave no keys" && exit 1; }

revision=$(ask "$database" "select string_agg(version_num, ',' order by version_num) from alembic_version")
sync "$copy" "$copy.etcd.json" "$folder"
printf 'revision=%s\ndigest=%s\nbytes=%s\n' "$revision" "$(sha256sum "$copy" | cut -d ' ' -f 1)" "$(stat -c %s "$copy")" >"$copy.proved.part"
mv "$copy.proved.part" "$copy.proved"
cat "$copy.proved"
# Run ids begin with the time, so that names sort by age.
find "$(dirname "$folder")" -path "*/$cluster-*/$(basename "$copy").proved" | sort -r | tail -n +"$((keep + 1))" |
    while read -r old; do [ "$old" = "$copy.proved" ] || rm -rf "$(dirname "$old")"; done
