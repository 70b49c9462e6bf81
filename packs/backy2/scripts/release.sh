#!/bin/sh
# release.sh RELEASE CONFIG [PROGRAM]: prints which release jobs get from this link with this configuration. Nothing if jobs
# cannot execute PROGRAM.
set -eu
release=$1 config=$2
[ $# -lt 3 ] || [ -x "$3" ] || exit 0
version=$("$release/bin/python" -c "import importlib.metadata as m; print(m.version('backy2'))")
if grep -Eq '^encryption_version[[:space:]]*[:=][[:space:]]*1[[:space:]]*$' "$config"; then
    version=$version+encrypted
fi
echo "$version"
