#!/bin/sh
# Hard ends. RUNS times (default 3; 50 by hand) the recorder, one node or everything is killed with -9 at a random point of
# the libraft workload: the run opens, `drd fsck --repair` closes it, and replay reaches the last event. Then a recording
# that runs out of space: the nodes go on, and the run says where it became incomplete (root only: it mounts a tmpfs).
#   SEED (default 1) decides who is killed and when; ONLY=recorder|node|everything|space does one of them alone
set -eu
. "$(dirname "$0")/lib.sh"
RUNS=${RUNS:-3} SEED=${SEED:-1} ONLY=${ONLY:-}
export COMMANDS="${COMMANDS:-2000}"

# random LIMIT: sets $drawn to 0..LIMIT-1 (a linear congruential generator: the same series on every machine)
random() {
    SEED=$(((SEED * 1103515245 + 12345) % 2147483648))
    drawn=$((SEED / 65536 % $1))
}

# The processes that this recording started, recorder included: its session.
everybody() {
    cat /proc/[0-9]*/stat 2>/dev/null | sed 's/ (.*) / /' |
        awk -v session="$session" '$5 == session && $2 != "Z" { print $1 }'
}

# Where a node is killed the workload waits in vain for it to catch up: not for a minute.
start_recording() {
    WITHIN=8000 setsid "$drd" record -o "$1" -- sh "$cluster/workload/libraft.sh" >"$1.said" 2>&1 &
    session=$!
}

# A recorder that was killed leaves nodes that go on: the workload ends by itself, and stops them.
await_everybody() {
    tries=0
    while [ -n "$(everybody)" ]; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || { kill -9 $(everybody) || true; fail "processes left over"; }
        sleep 0.1
    done
}

# The pid of some node of the recording, or nothing when none runs yet.
some_node() {
    for pid in $(everybody); do
        if [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$nodes/libraft_kv")" ]; then echo "$pid"; fi
    done | awk -v n="$1" '{ pid[NR] = $1 } END { if (NR) print pid[n % NR + 1] }'
}

strike() {
    case $1 in
    recorder) kill -9 "$session" || true ;; # it may have ended by itself
    everything)
        while [ -n "$(everybody)" ]; do # also what was forked while the list was made
            kill -9 $(everybody) 2>/dev/null || true
        done
        ;;
    node)
        random 3
        pid=$(some_node "$drawn")
        if [ -n "$pid" ]; then kill -9 "$pid" || true; fi
        ;;
    esac
}

# one VICTIM RUN
one() {
    random 3000
    moment=$((drawn + 100))
    start_recording "$2"
    sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
    strike "$1"
    await_everybody
    wait "$session" 2>/dev/null || true
    "$drd" fsck --repair "$2" >"$2.repaired" 2>&1 || { cat "$2.repaired" >&2; fail "fsck after the $1 was killed"; }
    "$drd" show "$2" >"$2.shown" 2>&1 || { cat "$2.shown" >&2; fail "show after the $1 was killed"; }
    replay "$2"
    echo "$1 killed after $moment ms: $(tail -n 1 "$2.replayed")"
    rm -f "$2" "$2".*
}

hard_kills() {
    for number in $(seq "$RUNS"); do
        random 3
        victim=$(echo recorder node everything | cut -d ' ' -f $((drawn + 1)))
        one "${ONLY:-$victim}" "$dir/hard-$number.drd"
    done
    echo "$RUNS of $RUNS runs closed and replayed"
}

# small_recording SPOOL STORE: both on file systems of that size, in a mount namespace of their own. A node that stands still
# is ended by the deadline.
small_recording() {
    recorded=0
    unshare -m sh -c 'mount -t tmpfs -o size="$4" none /dev/shm && mount -t tmpfs -o size="$5" none "$1/small" &&
        timeout -k 5 240 "$2" record -o "$1/small/run.drd" -- sh "$3" >"$1/said" 2>&1; status=$?
        cp "$1/small/run.drd" "$1/space.drd"; exit $status' \
        sh "$dir" "$drd" "$cluster/workload/libraft.sh" "$1" "$2" || recorded=$?
    [ "$recorded" -eq 0 ] || { cat "$dir/said" >&2; fail "spool of $1, store of $2: the nodes did not go on: $recorded"; }
    "$drd" show "$dir/space.drd" >"$dir/shown" 2>&1 || { cat "$dir/shown" >&2; fail "show after the disk was full"; }
    grep 'is known up to' "$dir/shown" >"$dir/known" || { cat "$dir/shown" >&2; fail "the run does not say where it ends"; }
    head -n 3 "$dir/known"
    if ! grep -qv '@0: ' "$dir/known"; then
        echo "spool of $1, store of $2: full before the first commit, $(wc -l <"$dir/known") processes named"
        return 0 # on a slow machine that may be any of them
    fi
    replay "$dir/space.drd"
    echo "spool of $1, store of $2: $(tail -n 1 "$dir/space.drd.replayed")"
}

# Too small from the start; too small for the third node; too small for what is recorded; too small for the first commit.
out_of_space() {
    if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
        echo "out of space: skipped, it needs root and mount namespaces"
        return 0
    fi
    mkdir "$dir/small"
    small_recording 8m 64m
    small_recording 16m 64m
    small_recording 64m 512k
    small_recording 64m 128k
}

[ -x "$nodes/libraft_kv" ] || skip "no libraft server in $nodes"
begin
export TMPDIR="$dir" # what a killed workload leaves behind goes with it
if [ "$ONLY" != space ]; then hard_kills; fi
if [ -z "$ONLY" ] || [ "$ONLY" = space ]; then out_of_space; fi
