#!/bin/sh
# rehearse.sh TOOLS HOST PORT USER DATABASE PYTHON ALEMBIC_INI upgrade|downgrade REVISION RESULT: walks a copy of the database with
# the alembic of one release, and writes revision and schema digest to RESULT. A fresh install of the release has another schema
# than a migrated one, so only a copy of the same history tells what will come. The copy goes again. May be repeated, and while
# the servers work.
set -eu
tools=$1 host=$2 port=$3 user=$4 database=$5 python=$6 ini=$7 way=$8 revision=$9
shift 9
result=$1
umask 077
copy=drydock_rehearsal_$(printf %s "$result" | cksum | cut -d ' ' -f 1)
mkdir -p "$(dirname "$result")"
export PGHOST="$host" PGPORT="$port" PGUSER="$user" PGAPPNAME=drydock

rm -f "$result"
"$tools/dropdb" --if-exists --force "$copy"
"$tools/createdb" "$copy"
trap '"$tools/dropdb" --if-exists --force "$copy"; rm -f "$result.dump" "$result.row"' EXIT
"$tools/pg_dump" -Fc -f "$result.dump" "$database"
"$tools/pg_restore" --exit-on-error --single-transaction -d "$copy" "$result.dump"

cd "$(dirname "$ini")"
"$tools/psql" -XAtq -v ON_ERROR_STOP=1 -d "$copy" -c "select version_num from alembic_version" >"$result.row"
"$python" - "$ini" "$copy" "$way" "$revision" "$result.row" <<'PYTHON'
import sys

import alembic.command
import alembic.config
import alembic.script
import sqlalchemy.engine

ini, copy, way, revision = sys.argv[1:5]
config = alembic.config.Config(ini)
url = sqlalchemy.engine.make_url(config.get_main_option("sqlalchemy.url")).set(database=copy)
config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
script = alembic.script.ScriptDirectory.from_config(config)
here = open(sys.argv[5]).read().strip()
ends = (revision, here) if way == "upgrade" else (here, revision)
for one in script.iterate_revisions(*ends) if revision != here else ():
    if "etcd" in open(one.path).read():
        sys.exit(f"revision {one.revision} changes etcd: a copy of the database alone is no rehearsal, and this would change the real one")
(alembic.command.upgrade if way == "upgrade" else alembic.command.downgrade)(config, revision)
PYTHON

found=$("$tools/psql" -XAtq -v ON_ERROR_STOP=1 -d "$copy" -c \
    "select string_agg(version_num, ',' order by version_num) from alembic_version")
[ "$found" = "$revision" ] || { echo "the copy is at $found, not at $revision" && exit 1; }
digest=$("$tools/pg_dump" -s --no-owner "$copy" | grep -Ev '^(--|\\(un)?restrict|$)' | sha256sum | cut -c 1-16)
printf 'revision=%s\ndigest=%s\n' "$found" "$digest" >"$result.part"
sync "$result.part"
mv "$result.part" "$result"
cat "$result"
