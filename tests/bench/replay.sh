#!/bin/sh
# A run of ten million events and more: time and memory of recording, of indexing and of replaying it. Memory must not grow
# with the run, so a run a tenth as long is measured beside it.
#   replay.sh [BUILD]     EVENTS (default 10000000)
set -eu
. "$(dirname "$0")/lib.sh"
EVENTS=${EVENTS:-10000000}
export SNAPSHOT=100000000

# Record so many commands; prints the events of the run.
record() {
    rm -f "$scratch/$1.drd"
    KILL=no RATE=0 COMMANDS=$2 WINDOW=16 "$tools/measure" "$scratch/$1.record" "$drd" record -o "$scratch/$1.drd" \
        --only libraft_kv -- sh "$workload/libraft.sh" >"$scratch/said" 2>&1 || { tail -n 5 "$scratch/said" >&2; exit 1; }
    "$drd" replay --json "$scratch/$1.drd" >"$scratch/json" || { cat "$scratch/json" >&2; exit 1; }
    member events <"$scratch/json"
}

line() {
    printf '%-26s ' "$1"
    awk -v wall="$(field wall_ms <"$2")" -v own="$(field peak_kb <"$2")" -v all="$(field family_peak_kb <"$2")" \
        'BEGIN { printf "%7.1f s  peak %6.1f MiB, largest process of all %6.1f MiB\n", wall / 1000, own / 1024, all / 1024 }'
}

report() {
    "$tools/measure" "$scratch/$1.replay" "$drd" replay "$scratch/$1.drd"
    echo "$1: $2 events, $(du -b "$scratch/$1.drd" | cut -f 1) bytes"
    line "  recording and indexing" "$scratch/$1.record"
    line "  replaying" "$scratch/$1.replay"
}

machine
sample=$(record sample 20000)
each=$((sample / 20000))
short=$(record short $((EVENTS / 10 / each)))
report short "$short"
long=$(record long $((EVENTS * 21 / 20 / each)))
report long "$long"
[ "$long" -ge "$EVENTS" ] || { echo "only $long events" >&2; exit 1; }
