#!/bin/sh
# empty.sh PACHCTL RELEASE: deletes every repo, commit, pipeline and job of the installation that PACH_CONFIG leads to, if its pachd
# says that it is RELEASE. The two installations of a migration never have the same release. Objects of the bucket stay.
set -u
pachctl=$1 release=$2
said=$("$pachctl" version </dev/null) || { printf '%s\n' "$said"; exit 1; }
answers=$(printf '%s\n' "$said" | sed -n 's/^pachd  *\([0-9][0-9.]*\).*/\1/p')
[ "$answers" = "$release" ] || { echo "pachd answers as \`$answers\` and not as $release: nothing was deleted"; exit 1; }
echo y | "$pachctl" delete all
