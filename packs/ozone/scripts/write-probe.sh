#!/bin/sh
# write-probe.sh OZONE: writes the key /drydock-probe/probe/key, reads it back and compares. Key, bucket and volume stay, so that the
# next time takes two calls of the command only.
set -u
ozone=$1
bucket=/drydock-probe/probe
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
sh_() { timeout -k 5 60 "$ozone" sh "$@" </dev/null; }

head -c 65536 /dev/urandom >"$scratch/sent"
if ! said=$(sh_ key put "$bucket/key" "$scratch/sent" 2>&1); then
    case $said in
    *VOLUME_NOT_FOUND* | *BUCKET_NOT_FOUND*)
        sh_ volume create /drydock-probe
        sh_ bucket create "$bucket"
        sh_ key put "$bucket/key" "$scratch/sent" || exit 1
        ;;
    *)
        printf '%s\n' "$said"
        exit 1
        ;;
    esac
fi
sh_ key cat "$bucket/key" >"$scratch/read" || exit 1
if ! cmp "$scratch/sent" "$scratch/read"; then
    echo "what was read of $bucket/key is not what was written"
    exit 1
fi
echo "65536 bytes written, read back, equal"
