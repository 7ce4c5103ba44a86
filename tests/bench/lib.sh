#!/bin/sh
# shellcheck disable=SC2034
# What the benchmarks share. Sourced.

bench=$(cd "$(dirname "$0")" && pwd)
build=${1:-$bench/../../build}
build=$(cd "$build" && pwd)
drd=$build/drd
tools=$build/tests/tools
workload=$bench/../cluster/workload
export DRD_BUILD="$build"

scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/drd-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The value of NAME= in a line of such words.
field() {
    sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p" | tail -n 1
}

# The number behind the first "NAME": in a JSON object.
member() {
    grep -o "\"$1\":\"\{0,1\}[0-9]*" | head -n 1 | tr -dc '0-9'
    echo
}

# Of the numbers on stdin, one a line. With an even count: the mean of the middle two.
median() {
    sort -n | awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2; else print "-" }'
}

machine() {
    echo "$(uname -sr), $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(date -u +%F)"
}
