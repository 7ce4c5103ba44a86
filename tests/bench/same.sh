#!/bin/sh
# Whether the same seed gives the same run: one workload, simulated COUNT times with all faults on. The streams of all runs are compared
# byte for byte with those of the first, and each run is replayed.
#   same.sh PROGRAM [COUNT [SEED [BUILD]]]     PROGRAM: raftkv, libraft, ovsdb, pysyncobj ... (tests/cluster/workload)
#   MODEL: file of a fault model instead of all faults; REPLAY=no: without the replays; KEEP: a directory for the first two that differ
# At the first difference its two events are shown. Exit 1 if there is one, or if a replay parts from its run.
set -eu
program=$1 count=${2:-200} seed=${3:-1}
set -- "${4:-}"
[ -n "$1" ] || set --
. "$(dirname "$0")/lib.sh"
[ -f "$workload/$program.sh" ] || { echo "same.sh: no workload $program" >&2; exit 2; }

all_faults() {
    printf '%s\n' "from 0.3s" "until 20s" "every 1s" "disk-fail 1 0.3s" "disk-full 1 0.3s" "disk-lie 1 1s" \
        "delay 50us 3ms" "late 10% 30ms"
}

model=${MODEL:-$scratch/model}
[ -n "${MODEL:-}" ] || all_faults >"$model"

simulate() {
    rm -f "$1"
    # The command may fail: all disks break. What matters is that it always fails in the same way.
    "$drd" simulate --seed "$seed" --model "$model" -o "$1" -- sh "$workload/$program.sh" "$build" >"$1.out" 2>&1 || true
    [ -f "$1" ] || { echo "run not made:"; cat "$1.out"; exit 2; }
}

replays() {
    "$drd" replay "$1" >"$scratch/replay" 2>&1 && return
    echo "run $2 does not replay:"
    tail -n 12 "$scratch/replay"
    return 1
}

differs() {
    cat "$scratch/said"
    set -- $(sed -n 's/.*: \([^ ]*@[0-9]*\) \([^ ]*@[0-9]*\)$/\1 \2/p' "$scratch/said")
    [ $# -ne 2 ] || { "$drd" show "$scratch/first.drd@$1" || true; "$drd" show "$scratch/run.drd@$2" || true; }
    [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP"; cp "$scratch/first.drd" "$scratch/run.drd" "$KEEP"; }
}

identical=1 replayed=0 runs=1 told=no
simulate "$scratch/first.drd"
while :; do
    run=$scratch/run.drd
    [ $runs -gt 1 ] || run=$scratch/first.drd
    [ "${REPLAY:-yes}" = no ] || ! replays "$run" $runs || replayed=$((replayed + 1))
    [ $runs -lt "$count" ] || break
    runs=$((runs + 1))
    simulate "$scratch/run.drd"
    if "$tools/same" "$scratch/first.drd" "$scratch/run.drd" >"$scratch/said"; then
        identical=$((identical + 1))
    elif [ $told = no ]; then
        told=yes
        differs
    fi
done
events=$(sed -n 's/.* \([0-9,]*\) events;.*/\1/p' "$scratch/first.drd.out" | tail -n 1)
echo "$program, seed $seed, $events events: $identical of $count identical, $replayed of $count replayed"
[ $identical -eq "$count" ] && { [ "${REPLAY:-yes}" = no ] || [ $replayed -eq "$count" ]; }
