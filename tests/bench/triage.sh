#!/bin/sh
# How well drd triage groups, and how long it takes. Runs of planted mistakes (tests/nodes/raftkv/bugs.def) and of clusters
# without one; which mistake acted in a run is known, because the mark "bug ID" stands there. Of all pairs of runs:
# precision, how many that stand in one group are of one mistake; recall, how many of one mistake stand in one group.
#   triage.sh [BUILD] [SCHEDULES]     SCHEDULES (default 4) of each mistake: its scene with other ports and heartbeats, with
#                                     marks and without; the last SHAKEN (default 0) of them are no scene but a cluster of
#                                     three under load and random faults, where roles and timings are what they happen to be
#   IDS="T01a T07a", HEALTHY=12 runs without a mistake (under load, under faults), JOBS, KEEP=DIR for the runs,
#   FROM=DIR: those runs again, or others: of ID.NAME.drd or ID-NAME.drd
# Runs in which the mistake did not act are left out, and those without a mistake whose workload failed. Two planted mistakes
# may make nodes do the same: T07a and T07b are one to anybody who looks from outside.
set -eu
. "$(dirname "$0")/lib.sh"
SCHEDULES=${2:-4} SHAKEN=${SHAKEN:-0} HEALTHY=${HEALTHY:-12} JOBS=${JOBS:-$(nproc)} FROM=${FROM:-}
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
        MARKS=$marks HEARTBEAT=$((20 + 7 * $2 % 29)) "$drd" record -o "$3" -- sh "$scenarios/$1.sh" "$build" \
            >"$scratch/said" 2>&1 || status=$?
        [ $status -gt 1 ] || return 0
    done
    echo "$1, $2: the scene could not be set up: $(tail -n 1 "$scratch/said")" >&2
    rm -f "$3"
}

# shaken SEED RUN [ID]
shaken() {
    status=0
    unset RAFTKV_BUG
    [ -z "${3:-}" ] || export RAFTKV_BUG="$3"
    SHAKE=$1 COMMANDS=${COMMANDS:-300} RATE=${RATE:-150} "$drd" record --timeout 60 -o "$2" -- \
        sh "$workload/raftkv.sh" "$build" >"$scratch/said" 2>&1 || status=$?
    unset RAFTKV_BUG
}

calm() {
    status=0
    COMMANDS=$((2000 + 50 * $1)) "$drd" record -o "$2" -- sh "$workload/raftkv.sh" "$build" >"$scratch/said" 2>&1 ||
        status=$?
}

record_all() {
    for number in $(seq "$SCHEDULES"); do
        for id in $IDS; do
            run=$runs/$id-$number.drd
            if [ "$number" -gt $((SCHEDULES - SHAKEN)) ]; then
                shaken "$number" "$run" "$id"
            else
                scene "$id" "$number" "$run"
            fi
        done
    done
    for number in $(seq "$HEALTHY"); do
        run=$runs/none-$number.drd
        if [ $((number % 2)) -eq 0 ]; then calm "$number" "$run"; else shaken "$number" "$run"; fi
        [ $status -ne 0 ] || continue
        echo "none, $number: the workload ended with $status: $(tail -n 1 "$scratch/said")" >&2
        rm -f "$run"
    done
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
awk -v cold="$cold" -v warm="$warm" -v jobs="$JOBS" '
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
        printf "  %-34s %6.1f  (%.3f s, %d at a time)\n", "runs a second, cold", all / cold, cold, jobs
        printf "  %-34s %6.1f  (%.3f s)\n", "runs a second, cached", all / warm, warm
        exit alarms > 0
    }' "$scratch/labels" "$scratch/groups"
