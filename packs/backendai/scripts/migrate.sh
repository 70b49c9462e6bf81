#!/bin/sh
# migrate.sh PYTHON ALEMBIC_INI upgrade|downgrade REVISION: walks the schema with the alembic of one environment. All revisions of
# these releases run in one transaction, so that a kill leaves the schema as it was. Up, it goes to the named revision and not to
# `head`: that an environment brings another head than planned is an error and no reason to go there.
set -eu
python=$1 ini=$2 way=$3 revision=$4
cd "$(dirname "$ini")"
exec "$python" -m alembic -c "$ini" "$way" "$revision"
