# What the cluster scripts share: finding the programs, starting and stopping nodes, recording and judging. Sourced.
#   DRD_BUILD   the build directory (default: build beside the sources); ctest gives it as the first argument
#   PORT        first of the 16 TCP ports a script uses (default: free ones, by process number, so that scripts may run side
#               by side; below 32768, where the kernel takes ports for outgoing connections)
# A workload runs alike on its own and under `drd record -- sh WORKLOAD`.

cluster=$(cd "$(dirname "$0")" && while [ ! -f lib.sh ]; do cd ..; done && pwd)
export DRD_BUILD="${1:-${DRD_BUILD:-$cluster/../../build}}"
build=$DRD_BUILD
drd=${DRD:-$build/drd}
nodes=$build/tests/nodes

# ports_free BASE: nobody uses one of the 16.
ports_free() {
    awk -v base="$1" 'BEGIN { for (i = 0; i < 16; i++) wanted[sprintf("%04X", base + i)] = 1 }
        { split($2, local, ":"); if (local[2] in wanted) exit 1 }' /proc/net/tcp
}

slot=$(($$ % 1300))
until [ -n "${PORT:-}" ] || ports_free $((10000 + slot * 16)); do slot=$(((slot + 1) % 1300)); done
PORT=${PORT:-$((10000 + slot * 16))}

# fail WORDS...: with the last lines of what each node said.
fail() {
    echo "$(basename "$0"): $*" >&2
    for file in "${dir:-.}"/*.out; do
        if [ -s "$file" ]; then echo "--- $(basename "$file")" >&2; tail -n 5 "$file" >&2; fi
    done
    exit "${failure:-1}"
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
        if [ -f "$file" ] && read -r pid <"$file"; then kill -9 "$pid" 2>/dev/null || true; fi
    done
    rm -rf "$dir"
    exit "$status"
}

# node_start NAME COMMAND...: a restart under the same name is the next incarnation of that node. NODE_WRAP: words in front
# of every node's command, for benchmarks.
node_start() {
    name=$1
    shift
    DRD_NODE=$name ${NODE_WRAP:-} "$@" >>"$dir/$name.out" 2>&1 &
    echo $! >"$dir/$name.pid"
}

node_kill() {
    read -r pid <"$dir/$1.pid"
    kill -9 "$pid"
    wait "$pid" 2>/dev/null || true
    rm "$dir/$1.pid"
}

# node_stop NAME [COMMAND...]: asks it to end (SIGTERM, or by COMMAND) and expects status 0.
node_stop() {
    name=$1
    read -r pid <"$dir/$name.pid"
    shift
    if [ $# -eq 0 ]; then set -- kill "$pid"; fi
    "$@" 2>>"$dir/$name.out" || true # a node that has gone already says why by its status
    ended=0
    wait "$pid" || ended=$?
    rm "$dir/$name.pid"
    [ "$ended" -eq 0 ] || fail "$name ended with status $ended"
}

# client PROGRAM COMMAND SERVERS [WORD...]: runs that client. WITHIN: the longest wait in ms, where the client's minute is too long.
client() {
    program=$1 command=$2 servers=$3
    shift 3
    "$nodes/$program" "$command" "$servers" ${WITHIN:+--within "$WITHIN"} "$@"
}

# client_load CLIENT SERVERS: COMMANDS of them, WINDOW outstanding, RATE a second (0: as fast as they are answered).
client_load() {
    if [ "$RATE" -gt 0 ]; then
        client "$1" load "$2" --rate "$RATE" --seconds $((COMMANDS / RATE)) --window "$WINDOW"
    else
        client "$1" load "$2" --commands "$COMMANDS" --window "$WINDOW"
    fi
}

# record RUN COMMAND...: $recorded is the command's status, which `drd record` hands on; its output is in RUN.said.
record() {
    run=$1
    shift
    recorded=0
    "$drd" record -o "$run" -- "$@" >"$run.said" 2>&1 || recorded=$?
}

# replay RUN: every process of it, from the run alone.
replay() {
    "$drd" replay "$1" >"$1.replayed" 2>&1 || { tail -n 30 "$1.replayed" >&2; fail "replay of $(basename "$1" .drd)"; }
}

# explain RUN STATUS: 0 no violation, 1 violated; what it says is in RUN.explained.
explain() {
    judged=0
    "$drd" explain "$1" >"$1.explained" 2>&1 || judged=$?
    [ "$judged" -eq "$2" ] || { cat "$1.explained" >&2; fail "explain ended with $judged, not $2"; }
}

# record_and_judge NAME STATUS: the test of a program whose consensus holds; explain ends with STATUS.
record_and_judge() {
    record "$dir/$1.drd" sh "$cluster/workload/$1.sh"
    cat "$dir/$1.drd.said"
    [ "$recorded" -ne 77 ] || exit 77
    [ "$recorded" -eq 0 ] || fail "$1, recorded, ended with status $recorded"
    replay "$dir/$1.drd"
    tail -n 3 "$dir/$1.drd.replayed"
    explain "$dir/$1.drd" "$2"
    tail -n 3 "$dir/$1.drd.explained"
}
