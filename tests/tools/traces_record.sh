#!/bin/sh
# Record the runs of traces/ anew: sh tests/tools/traces_record.sh [BUILD [NAME...]]     NAME: T07 ...; without one: all
#   BUILD   where drd is (default: build)
#   BASE    where the programs are put, to be recorded there (default: /tmp/drd-example). They run in an empty environment, and
#           their debug information names the files of the repository only: a run says nothing of the machine but its kernel.
# What is to be recorded stands in traces.list. Afterwards tests/tools/traces_update.sh writes the explanations; BASE is needed
# for that, for the stacks.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$source/build}" && pwd)
if [ $# -gt 0 ]; then shift; fi
base=${BASE:-/tmp/drd-example}
wanted=" $* "
programs="kv_client raftkv libraft_kv ovsdb_client"

prepare() {
    rm -rf "$base/tests" "$base/runs"
    mkdir -p "$base/build/tests/nodes" "$base/runs" "$source/traces"
    cp -R "$source/tests" "$base/tests"
    cp "$build/drd" "$build/libdrd_shim.so" "$base/build/"
    export CFLAGS="-ffile-prefix-map=$source/= -ffile-prefix-map=$base/native="
    cmake -S "$source" -B "$base/native" >"$base/native.log"
    # shellcheck disable=SC2086
    cmake --build "$base/native" --target $programs >>"$base/native.log"
    for program in $programs; do cp "$base/native/tests/nodes/$program" "$base/build/tests/nodes/"; done
}

# once NAME ONLY SCRIPT: $status is the script's.
once() {
    rm -f "$base/runs/$1.drd"
    status=0
    (cd "$base" && env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C TMPDIR=/tmp build/drd record --only "$2" \
        -o "runs/$1.drd" -- sh "$3" build) >"$base/runs/$1.said" 2>&1 </dev/null || status=$?
}

# trace NAME STATUS ONLY SCRIPT: three tries, as a busy machine may not let a scene be set up.
trace() {
    for try in 1 2 3; do
        once "$1" "$3" "$4"
        [ "$status" -ne "$2" ] || break
    done
    [ "$status" -eq "$2" ] || { cat "$base/runs/$1.said" >&2; echo "$1: status $status, not $2" >&2; exit 1; }
    "$base/build/drd" replay "$base/runs/$1.drd" >"$base/runs/$1.said" 2>&1 || { cat "$base/runs/$1.said" >&2; exit 1; }
    if strings "$base/runs/$1.drd" | grep -F "$source/"; then echo "$1 names directories of this machine" >&2; exit 1; fi
    cp "$base/runs/$1.drd" "$source/traces/$1.drd"
    chmod 644 "$source/traces/$1.drd"
    echo "$1: $(wc -c <"$source/traces/$1.drd") bytes"
}

prepare
while read -r name status_wanted only script; do
    case $wanted in "  " | *" $name "*) ;; *) continue ;; esac
    if [ "$name" != "#" ]; then trace "$name" "$status_wanted" "$only" "$script"; fi
done <"$source/tests/tools/traces.list"
