# What the cluster scripts share: finding the programs, starting and stopping nodes, recording and judging. Sourced.
#   DRD_BUILD   the build directory (default: build beside the sources)
#   PORT        first of the 16 TCP ports a script uses
# A workload runs alike on its own and under `drd record -- sh WORKLOAD`.

cluster=$(cd "$(dirname "$0")" && while [ ! -f lib.sh ]; do cd ..; done && pwd)
build=${DRD_BUILD:-$cluster/../../build}
drd=${DRD:-$build/drd}
nodes=$build/tests/nodes

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

skip() {
    echo "$(basename "$0"): skipped: $*"
    exit 77
}

# Makes $dir, which goes when the script ends, together with every node still running.
begin() {
    dir=$(mktemp -d "${TMPDIR:-/tmp}/cluster.XXXXXX")
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

finish() {
    status=$?
    trap - EXIT
    for file in "$dir"/*.pid; do
        if [ -f "$file" ]; then kill -9 "$(cat "$file")" 2>/dev/null || true; fi
    done
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
        for file in "$dir"/*.out; do
            if [ -s "$file" ]; then echo "--- $(basename "$file")" >&2; tail -n 5 "$file" >&2; fi
        done
    fi
    rm -rf "$dir"
    exit "$status"
}

# node_start NAME COMMAND...: a restart under the same name is the next incarnation of that node.
node_start() {
    name=$1
    shift
    DRD_NODE=$name "$@" >>"$dir/$name.out" 2>&1 &
    echo $! >"$dir/$name.pid"
}

node_kill() {
    kill -9 "$(cat "$dir/$1.pid")"
    wait "$(cat "$dir/$1.pid")" 2>/dev/null || true
    rm "$dir/$1.pid"
}

# node_stop NAME [COMMAND...]: asks it to end (SIGTERM, or by COMMAND) and expects status 0.
node_stop() {
    name=$1
    pid=$(cat "$dir/$name.pid")
    shift
    if [ $# -gt 0 ]; then "$@"; else kill "$pid"; fi
    ended=0
    wait "$pid" || ended=$?
    rm "$dir/$name.pid"
    [ "$ended" -eq 0 ] || fail "$name ended with status $ended"
}

# record_and_judge NAME WORKLOAD: the test of a program whose consensus is right.
record_and_judge() {
    [ -x "$drd" ] || skip "no drd at $drd"
    run=$dir/$1.drd
    "$drd" record -o "$run" -- sh "$2" >"$dir/$1.said" 2>&1 || { cat "$dir/$1.said" >&2; fail "recording $1"; }
    cat "$dir/$1.said"
    "$drd" replay "$run" >"$dir/$1.replayed" 2>&1 || { tail -n 30 "$dir/$1.replayed" >&2; fail "replaying $1"; }
    tail -n 3 "$dir/$1.replayed"
    judged=0
    "$drd" explain "$run" >"$dir/$1.explained" 2>&1 || judged=$?
    [ "$judged" -eq 0 ] || { cat "$dir/$1.explained" >&2; fail "explain says $judged about a run without a violation"; }
    tail -n 3 "$dir/$1.explained"
}
