#!/bin/sh
# How fast drd simulate is. Each cell is a pair of runs of one cluster, a short and a long one in turn, and what is told is the
# difference: starting the nodes and ending the run is left out. Medians of ROUNDS pairs.
#   simulate.sh [BUILD]     ROUNDS (default 3), IDLE (programs that do nothing), LOADED (under RATE commands a second), SIZES (3 5),
#                           JOBS (2), RUNS (20: of explore; 0: none)
# world s/s: seconds of the world per second of the clock on the wall, and per second of processor time of all processes of the run.
set -eu
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-3} RATE=${RATE:-1000} SIZES=${SIZES:-3 5} RUNS=${RUNS:-20} JOBS=${JOBS:-2}
IDLE=${IDLE-raftkv libraft pysyncobj ovsdb} LOADED=${LOADED-raftkv libraft}

# By perf, which follows all processes of the run; without it the processor time is told as 0.
processor_ms() {
    sed -n 's/^\([0-9.]*\),[^,]*,task-clock.*/\1/p' "$scratch/perf" 2>/dev/null | grep . || echo 0
}

perf_is_there() {
    command -v perf >/dev/null && perf stat -x, -e task-clock -o "$scratch/perf" true 2>/dev/null
}

if perf_is_there; then counted="perf stat -x, -e task-clock -o $scratch/perf"; else counted=; fi

# one NAME COMMAND...: wall ms, processor ms, events, peak KiB of drd, and of the largest process that it waited for
one() {
    name=$1
    shift
    rm -f "$scratch/run.drd" "$scratch/measured" "$scratch/perf"
    # shellcheck disable=SC2086
    $counted "$tools/measure" "$scratch/measured" "$drd" simulate -o "$scratch/run.drd" -- "$@" >"$scratch/said" 2>&1 || {
        echo "$name failed:" >&2
        tail -n 5 "$scratch/said" >&2
        exit 2
    }
    events=$(sed -n 's/.* \([0-9,]*\) events;.*/\1/p' "$scratch/said" | tail -n 1 | tr -d ,)
    echo "$(field wall_ms <"$scratch/measured") $(processor_ms) $events $(field peak_kb <"$scratch/measured") $(field family_peak_kb <"$scratch/measured")"
}

# cell PROGRAM NODES RATE SHORT LONG
cell() {
    program=$1 nodes=$2 rate=$3 short=$4 long=$5
    : >"$scratch/pairs"
    for _ in $(seq "$ROUNDS"); do
        a=$(PROGRAM=$program NODES=$nodes RATE=$rate LASTS=$short one "$program" sh "$bench/cluster.sh" "$build")
        b=$(PROGRAM=$program NODES=$nodes RATE=$rate LASTS=$long one "$program" sh "$bench/cluster.sh" "$build")
        echo "$a $b" | awk -v s=$((long - short)) '{ wall = ($6 - $1) / 1000; cpu = ($7 - $2) / 1000; events = $8 - $3
            print s / wall, (cpu > 0 ? s / cpu : 0), events / s, (cpu > 0 ? cpu * 1e6 / events : 0), $4, $9 }' >>"$scratch/pairs"
    done
    column() { cut -d ' ' -f "$1" "$scratch/pairs" | median; }
    printf '%-10s %d  %-7s %9.1f %9.1f %10.0f %9.1f   %6.1f %6.1f\n' "$program" "$nodes" \
        "$([ "$rate" -gt 0 ] && echo "$rate/s" || echo idle)" "$(column 1)" "$(column 2)" "$(column 3)" "$(column 4)" \
        "$(column 5 | awk '{ print $1 / 1024 }')" "$(column 6 | awk '{ print $1 / 1024 }')"
}

# dd asks twice a block, of a world in which nobody else is.
turn() {
    : >"$scratch/turns"
    for _ in $(seq "$ROUNDS"); do
        a=$(one dd dd if=/dev/zero of=/dev/null bs=64 count=1000)
        b=$(one dd dd if=/dev/zero of=/dev/null bs=64 count=51000)
        echo "$a $b" | awk '{ print ($6 - $1) * 1000 / 100000, ($7 - $2) * 1000 / 100000 }' >>"$scratch/turns"
    done
    echo "a question and its answer: $(cut -d ' ' -f 1 "$scratch/turns" | median) us, of the processor $(cut -d ' ' -f 2 "$scratch/turns" | median) us"
}

# Runs a minute: one after the other, and with explore, which also explains them.
throughput() {
    mkdir "$scratch/store"
    cd "$scratch/store"
    began=$(date +%s%N)
    for seed in $(seq "$RUNS"); do
        "$drd" simulate --seed "$seed" --faults -o "$scratch/run.drd" -- sh "$workload/$1.sh" "$build" >/dev/null 2>&1 || true
        rm -f "$scratch/run.drd"
    done
    between=$(date +%s%N)
    "$drd" explore --runs "$RUNS" --jobs "$JOBS" --faults -- sh "$workload/$1.sh" "$build" >/dev/null 2>&1 || true
    ended=$(date +%s%N)
    cd "$bench"
    rm -rf "$scratch/store"
    echo "$1: $((RUNS * 60000000000 / (between - began))) runs a minute one after the other," \
        "$((RUNS * 60000000000 / (ended - between))) by drd explore with $JOBS jobs"
}

machine
uptime
echo "                     world s/s                events    us of the   MiB of drd"
echo "program  nodes        of wall   of cpu    a world s  cpu/event   short   long"
for size in $SIZES; do
    for program in $IDLE; do cell "$program" "$size" 0 20 200; done
done
for size in $SIZES; do
    for program in $LOADED; do cell "$program" "$size" "$RATE" 2 8; done
done
turn
[ "$RUNS" -eq 0 ] || for program in explore_raftkv explore_libraft; do throughput "$program"; done
