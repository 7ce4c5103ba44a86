#!/bin/sh
# How well drd triage groups, and how long it takes. Runs of planted mistakes (tests/nodes/raftkv/bugs.def) and of clusters
# without one; which mistake acted in a run is known, because the mark "bug ID" stands there. Of all pairs of runs:
# precision, how many that stand in one group are of one mistake; recall, how many of one mistake stand in one group.
#   triage.sh [BUILD] [SCHEDULES]     SCHEDULES (default 15) of each mistake: its scene, played by other servers with other ports and
#                                     heartbeats, with marks and without; the last SHAKEN (default 0) of them are no scene but
#                                     a cluster of three under load and random faults, where roles and timings are what they
#                                     happen to be. A scene takes half a second to record, 8 the others: 7 minutes for all
#   IDS="T01a T07a", HEALTHY=60 runs without a mistake (under load, under faults), JOBS at a time, KEEP=DIR for the runs, of
#   which those that are there already are not recorded again; FROM=DIR: those runs, or others: of ID.NAME.drd or ID-NAME.drd
#   RECALL=0.98 PRECISION=0.98: less is a failure
# Runs in which the mistake did not act are left out, and those without a mistake whose workload failed. Two planted mistakes
# may make nodes do the same: T07a and T07b are one to anybody who looks from outside.
set -eu
. "$(dirname "$0")/lib.sh"
SCHEDULES=${2:-15} SHAKEN=${SHAKEN:-0} HEALTHY=${HEALTHY:-60} JOBS=${JOBS:-$(nproc)} FROM=${FROM:-}
IDS=${IDS:-T01a T02b T03a T04b T05a T07a T10b T12a T14a T15b T20a T21a}
scenarios=$bench/../cluster/raftkv
runs=${FROM:-${KEEP:-$scratch/runs}}
mkdir -p "$runs"

# scene ID NUMBER RUN: a scene that a busy machine did not let be set up is set up again.
scene() {
    marks=yes
    [ $(($2 % 2)) -eq 0 ] || marks=no
    for try in 1 2 3; do
        rm -f "$3"
        status=0
        MARKS=$marks TURN=$(($2 % 3)) HEARTBEAT=$((20 + 7 * $2 % 29)) "$drd" record -o "$3" -- \
            sh "$scenarios/$1.sh" "$build" >"$said" 2>&1 || status=$?
        [ $status -gt 1 ] || return 0
    done
    echo "$1, $2: the scene could not be set up: $(tail -n 1 "$said")" >&2
    rm -f "$3"
}

# shaken SEED RUN [ID]
shaken() {
    status=0
    unset RAFTKV_BUG
    [ -z "${3:-}" ] || export RAFTKV_BUG="$3"
    SHAKE=$1 COMMANDS=${COMMANDS:-300} RATE=${RATE:-150} "$drd" record --timeout 60 -o "$2" -- \
        sh "$workload/raftkv.sh" "$build" >"$said" 2>&1 || status=$?
    unset RAFTKV_BUG
}

calm() {
    status=0
    COMMANDS=$((2000 + 50 * $1)) "$drd" record -o "$2" -- sh "$workload/raftkv.sh" "$build" >"$said" 2>&1 || status=$?
}

# healthy NUMBER RUN
healthy() {
    if [ $(($1 % 2)) -eq 0 ]; then calm "$1" "$2"; else shaken "$1" "$2"; fi
    [ $status -ne 0 ] || return 0
    echo "none, $1: the workload ended with $status: $(tail -n 1 "$said")" >&2
    rm -f "$2"
}

# record_one ID NUMBER
record_one() {
    run=$runs/$1-$2.drd
    if [ -e "$run" ]; then return; fi
    if [ "$1" = none ]; then
        healthy "$2" "$run"
    elif [ "$2" -gt $((SCHEDULES - SHAKEN)) ]; then
        shaken "$2" "$run" "$1"
    else
        scene "$1" "$2" "$run"
    fi
}

# Every JOBS-th of what is to be recorded, from the WORKER-th on.
record_part() {
    said=$scratch/said.$1 nth=0
    while read -r id number; do
        nth=$((nth + 1))
        [ $((nth % JOBS)) -ne "$1" ] || record_one "$id" "$number" </dev/null
    done <"$scratch/plan"
}

record_all() {
    for number in $(seq "$SCHEDULES"); do
        for id in $IDS; do echo "$id $number"; done
    done >"$scratch/plan"
    for number in $(seq "$HEALTHY"); do echo "none $number"; done >>"$scratch/plan"
    for worker in $(seq 0 $((JOBS - 1))); do record_part "$worker" & done
    wait
}

# What is known of each run: "PATH ID".
label_all() {
    for run in "$runs"/*.drd; do
        id=$(basename "$run" | sed 's/[-.].*//')
        if [ "$id" = none ] || "$tools/turn" "$run" "$id" >/dev/null 2>&1; then
            echo "$(realpath "$run") $id"
        else
            echo "$(basename "$run"): the mistake did not act" >&2
        fi
    done
}

# triage OUT: in seconds.
triage() {
    began=$(date +%s%N)
    "$drd" triage --json --no-source --jobs "$JOBS" --cache "$scratch/cache" "$runs" >"$1" || [ $? -le 1 ]
    ended=$(date +%s%N)
    awk -v ns=$((ended - began)) 'BEGIN { printf "%.3f", ns / 1e9 }'
}

machine
[ -n "$FROM" ] || record_all
label_all >"$scratch/labels"
cold=$(triage "$scratch/cold.json")
warm=$(triage "$scratch/warm.json")
jq -r '.runs[] | [.path, .fingerprint // "-", .kind] | join(" ")' "$scratch/cold.json" >"$scratch/groups"
awk -v cold="$cold" -v warm="$warm" -v jobs="$JOBS" -v floor_recall="${RECALL:-0.98}" -v floor_precision="${PRECISION:-0.98}" '
    FNR == NR { id[$1] = $2; next }
    $1 in id { path[++n] = $1; group[n] = $2; kind[n] = $3; label[n] = id[$1] }
    { all++ }
    END {
        for (i = 1; i <= n; i++) {
            if (label[i] == "none") {
                healthy++
                if (group[i] != "-") { alarms++; print "healthy, but in a group: " path[i], kind[i] }
                continue
            }
            bad++; missed += group[i] == "-"
            if (group[i] != "-" && !seen[label[i], group[i]]++) {
                parts[label[i]]++
                words[label[i]] = words[label[i]] " " group[i]
            }
            count[label[i]]++
            for (k = 1; k < i; k++) {
                if (label[k] == "none") continue
                same = label[i] == label[k]; together = group[i] != "-" && group[i] == group[k]
                both += same && together; of_one += same; in_one += together
            }
        }
        printf "%-6s %5s %7s  %s\n", "id", "runs", "groups", "fingerprints"
        for (l in count) {
            line = sprintf("%-6s %5d %7d ", l, count[l], parts[l])
            print line words[l] | "sort"
        }
        close("sort")
        printf "%d runs of mistakes, %d healthy\n", bad, healthy
        printf "  %-34s %6.3f  (%d of %d pairs)\n", "precision", in_one ? both / in_one : 1, both, in_one
        printf "  %-34s %6.3f  (%d of %d pairs)\n", "recall", of_one ? both / of_one : 1, both, of_one
        printf "  %-34s %6d\n", "runs of a mistake in no group", missed
        printf "  %-34s %6d\n", "healthy runs in a group", alarms
        printf "  %-34s %6.1f  (%.3f s, %d at a time)\n", "runs a second a job, cold", all / cold / jobs, cold, jobs
        printf "  %-34s %6.1f  (%.3f s)\n", "runs a second, cached", all / warm, warm
        if (in_one && both / in_one < floor_precision || of_one && both / of_one < floor_recall || alarms) exit 1
    }' "$scratch/labels" "$scratch/groups"
