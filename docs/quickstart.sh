#!/bin/sh
# From a clean checkout to an explained failure, on a bare Debian 12: installs what is missing (and says what), builds DRD,
# records Figure 8 of the Raft paper as it happens in a real library, re-drives every process of it, and explains it.
#   sh docs/quickstart.sh        BUILD=DIRECTORY puts the build elsewhere than build/
set -eu
cd "$(dirname "$0")/.."
. tests/lib/packages.sh

build=${BUILD:-build}
runs=$(mktemp -d "${TMPDIR:-/tmp}/drd-quickstart.XXXXXX")
export DRD_STORE="$runs" DRD_PAGER=cat

# say WORDS...: then the command as one would type it
say() {
    printf '\n# %s\n' "$*"
}

# try WANTED-STATUS COMMAND...: show the command, run it, and insist on how it ends
try() {
    wanted=$1
    shift
    echo "\$ $*"
    status=0
    "$@" || status=$?
    [ "$status" -eq "$wanted" ] || { echo "quickstart: this ended with $status, not $wanted"; exit 1; }
}

say "Packages and build (in $build)"
packages_need $PACKAGES_BUILD $PACKAGES_QUICKSTART
{ cmake -S . -B "$build" &&
    cmake --build "$build" -j"$(nproc)" --target drd drd_shim libraft_kv kv_client; } >"$runs/build.log" 2>&1 ||
    { cat "$runs/build.log"; exit 1; }
build=$(cd "$build" && pwd)
PATH=$build:$PATH
export PATH DRD_BUILD="$build"

say "Will it work here?"
try 0 drd doctor

say "A test of three libraft servers fails: their state machines differ. It is recorded while it does."
try 1 drd record -- sh tests/cluster/figure8.sh

say "What was recorded"
try 0 drd show

say "Every process again, from the recording alone: no network, no disk, no clock"
try 0 drd replay @

say "What broke, and where"
try 1 drd explain @

say "The run is in $runs/runs/. Go on with: DRD_STORE=$runs $build/drd log @"
