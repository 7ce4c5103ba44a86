#!/bin/sh
# Everything that must hold, from a clean checkout: packages, build, tests; then an AddressSanitizer and UBSan build of all
# but the shim, whose unit tests and fuzz corpora run. Under 20 minutes on two cores.
#   sh tests/run.sh [CTEST OPTION]...      for example -L unit, -R figure8
# BUILD=DIRECTORY puts the build elsewhere than build/.
set -eu
cd "$(dirname "$0")/.."
. tests/lib/packages.sh

build=${BUILD:-build}
jobs=$(nproc)
began=$(date +%s)

packages_need $PACKAGES_BUILD $PACKAGES_TESTS

# step NAME COMMAND...: quiet unless it fails
step() {
    name=$1
    shift
    printf '%s\n' "$name"
    mkdir -p "$build"
    "$@" >"$build/step.log" 2>&1 || { cat "$build/step.log"; echo "FAILED: $name"; exit 1; }
}

failed=
step "Build in $build" sh -c "cmake -S . -B '$build' && cmake --build '$build' -j$jobs"
ctest --test-dir "$build" --output-on-failure "$@" || failed="$failed tests"

step "Build with sanitizers in $build-asan" sh -c "cmake -S . -B '$build-asan' -DDRD_ASAN=ON && cmake --build '$build-asan' -j$jobs"
# Leaks at exit are a finding too; libraries of others are not ours to judge.
ASAN_OPTIONS=detect_leaks=1 ctest --test-dir "$build-asan" --output-on-failure -j"$jobs" -L 'unit|fuzz' ||
    failed="$failed sanitizers"

took=$(($(date +%s) - began))
if [ -n "$failed" ]; then
    echo "FAILED after $took s:$failed"
    exit 1
fi
echo "All tests passed in $took s."
