#!/bin/sh
# keypair.sh PYTHON KEYPAIR CONFIG: makes the rpc keypair of 23.09 if there is none. 23.09.0 refuses every command without the file,
# the one that makes it too, so an empty file comes first.
set -eu
python=$1 keypair=$2 config=$3
[ ! -s "$keypair" ] || exit 0
mkdir -p "$(dirname "$keypair")"
touch "$keypair"
cd "$(dirname "$config")"
"$python" -m ai.backend.cli mgr generate-rpc-keypair "$(dirname "$keypair")" "$(basename "$keypair" .key_secret)"
chmod 600 "$keypair"
[ -s "$keypair" ]
