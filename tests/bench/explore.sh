#!/bin/sh
# What drd explore finds, and how soon: in correct programs nothing, in Debian's libraft Figure 8, in pysyncobj lost terms, in raftkv the
# planted mistakes (tests/nodes/raftkv/bugs.def). The workloads (tests/cluster/workload/explore_*.sh) say nothing of a schedule.
#   explore.sh [BUILD] [PART...]   PART: real, mistakes, correct; all of them without
#   STARTS (5) of each of the real ones, within LIMIT (10min); IDS="T01a T07a" and CAP (60s) of the mistakes; SEEDS (2000) without an alarm,
#   from FIRST (1) on, of PROGRAMS (raftkv ovsdb)
#   JOBS at a time
set -eu
. "$(dirname "$0")/lib.sh"
[ $# -eq 0 ] || shift
STARTS=${STARTS:-5} LIMIT=${LIMIT:-10min} CAP=${CAP:-60s} SEEDS=${SEEDS:-2000} FIRST=${FIRST:-1} JOBS=${JOBS:-$(nproc)}
table=$bench/../nodes/raftkv/bugs.def
IDS=${IDS:-$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$table")}
export SECONDS_LONG=10 DRD_STORE="$scratch/store" PORT="${PORT:-14000}"
mkdir "$scratch/empty"
cd "$scratch/empty" # a directory whose files do not change: what a run sees of it is part of the run

# explore WORKLOAD OPTION...: its JSON is in $scratch/found.
explore() {
    name=$1
    shift
    rm -rf "$DRD_STORE"
    "$drd" explore --model "$workload/explore.model" --jobs "$JOBS" --json "$@" -- sh "$workload/explore_$name.sh" "$build" \
        >"$scratch/found" 2>"$scratch/errors" || [ $? -eq 1 ] || { cat "$scratch/errors" >&2; exit 1; }
}

# seconds: what it took, from the JSON
seconds() {
    echo "$(member real_ns <"$scratch/found")" | awk '{ printf "%.1f", $1 / 1e9 }'
}

# groups: the kinds, fingerprints and counts that were found, the worst first
groups() {
    /usr/bin/python3 -c 'import json, sys
found = json.load(open(sys.argv[1]))
rows = sorted(found["groups"], key=lambda g: (not g["failure"], g["kind"]))
print(", ".join("%s %s (%d)" % (g["kind"], g["fingerprint"], g["count"]) for g in rows) or "nothing")' "$scratch/found"
}

# violated CLASS: was it, by that mistake?
violated() {
    /usr/bin/python3 -c 'import json, sys
found = json.load(open(sys.argv[1]))
sys.exit(not any(g["kind"] == "violation" and g["fingerprint"].endswith("-" + sys.argv[2]) for g in found["groups"]))' "$scratch/found" "$1"
}

# real WORKLOAD CLASS: how long until Raft is violated by that mistake, from STARTS starts
real() {
    for start in $(seq "$STARTS"); do
        explore "$1" --until "$2" --for "$LIMIT" --first $((start * 100000))
        printf '%-10s %6s %8s %6s   %s\n' "$1" "$start" "$(seconds)" "$(member runs <"$scratch/found")" "$(groups)"
        if violated "$2"; then seconds >>"$scratch/took.$1"; else echo 999999 >>"$scratch/took.$1"; fi
        echo >>"$scratch/took.$1"
    done
    echo "$1: median $(grep . "$scratch/took.$1" | median) s (999999: not found within $LIMIT)"
}

# mistake ID: is it found within CAP?
mistake() {
    export RAFTKV_BUG="$1"
    explore raftkv --until failure --for "$CAP"
    unset RAFTKV_BUG
    class=$(echo "$1" | cut -c 1-3) how=no
    if grep -q '"failure":true' "$scratch/found"; then how=failure; fi
    if grep -q "\"fingerprint\":\"[^\"]*-$class\"" "$scratch/found"; then how="$how, class"; fi
    printf '%-6s %-16s %8s %6s   %s\n' "$1" "$how" "$(seconds)" "$(member runs <"$scratch/found")" "$(groups)"
    echo "$how" >>"$scratch/hows"
}

# correct WORKLOAD: SEEDS seeds; whatever is told, and does not stand in true_breaks, is a false alarm
correct() {
    explore "$1" --seeds "$FIRST..$((FIRST + SEEDS - 1))"
    printf '%-10s %6s runs %8s s   %s\n' "$1" "$(member runs <"$scratch/found")" "$(seconds)" "$(groups)"
    rules "$1"
}

# rules WORKLOAD: each run in which a rule was broken, once more, and whether the program breaks it in earnest (true_breaks)
rules() {
    mkdir "$scratch/again"
    for seed in $(jq -r 'select(.kind == "rule") | .seed' "$DRD_STORE"/explore/*/journal); do
        "$drd" simulate --seed "$seed" --model "$workload/explore.model" -o "$scratch/again/$1-$seed.drd" \
            -- sh "$workload/explore_$1.sh" "$build" >"$scratch/said" 2>&1 || true
    done
    if [ -n "$(ls "$scratch/again")" ]; then
        FROM=$scratch/again sh "$bench/explain_correct.sh" "$build" | sed '1d; $d; s/^/           /' || true
    fi
    rm -r "$scratch/again"
}

machine
for part in ${*:-real mistakes correct}; do
    echo
    case $part in
    real)
        echo 'PROGRAM     START  SECONDS   RUNS   FOUND'
        real libraft T07
        real pysyncobj T15
        ;;
    mistakes)
        echo 'MISTAKE FOUND            SECONDS   RUNS   WHAT'
        : >"$scratch/hows"
        for id in $IDS; do mistake "$id"; done
        echo "$(grep -c failure "$scratch/hows" || true) of $(wc -l <"$scratch/hows") failed within $CAP, $(grep -c class "$scratch/hows" || true) were told by their class"
        ;;
    correct)
        echo 'CORRECT       RUNS    SECONDS   ALARMS'
        for program in ${PROGRAMS:-raftkv ovsdb}; do correct "$program"; done
        ;;
    esac
done
