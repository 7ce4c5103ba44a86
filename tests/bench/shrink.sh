#!/bin/sh
# How small drd shrink makes failures that drd explore finds, against the schedule that was written by hand for the same mistake.
#   shrink.sh [BUILD]    CASES: words KIND:CLASS:BUG (below); EXPLORE=5min, the longest search; SHRINK=10min, the longest shrinking;
#                        FROM=DIR: runs found before, CLASS-BUG.drd; KEEP=DIR for what is found (CLASS-BUG.drd) and left (CLASS-BUG.small.drd)
#
# A case is explored with faults until a run fails by that class of mistake (the smallest of the kept runs is taken), and that run is
# shrunk. The scenario in tests/cluster is simulated with seed 1. Columns: records of all processes, faults, messages of Raft up to the
# failure, of the run found, of the run left (which ends there), of the scenario as it is written; left events by the scenario's; runs that
# shrinking took, and its seconds. Faults of a scenario: what it asks of drd fault, and servers that it kills.
set -eu
. "$(dirname "$0")/lib.sh"
clusters=$bench/../cluster
CASES=${CASES:-libraft:T07:figure8 pysyncobj:T15:restart raftkv:T01:T01a raftkv:T07:T07a raftkv:T03:T03a raftkv:T05:T05a}
EXPLORE=${EXPLORE:-5min} SHRINK=${SHRINK:-10min} FROM=${FROM:-} KEEP=${KEEP:-$scratch}
export DRD_STORE="$scratch/store"
mkdir -p "$KEEP"
cd "$scratch"

# found KIND CLASS BUG: sets $run to one that fails by that class.
found() {
    run=${FROM:-$KEEP}/$2-$3.drd
    [ ! -f "$run" ] || return 0
    rm -rf "$DRD_STORE"
    bug=none
    [ "$1" != raftkv ] || bug=$3
    RAFTKV_BUG=$bug "$drd" explore --faults --for "$EXPLORE" -- sh "$clusters/workload/explore_$1.sh" "$build" >explored 2>&1 || true
    "$drd" triage --json --no-cache --no-source "$DRD_STORE" >triaged 2>/dev/null || true
    best=$(/usr/bin/python3 -c 'import json, sys
groups = json.load(open("triaged"))["groups"]
runs = [g["smallest"] for g in groups if g["fingerprint"]["value"].endswith("-" + sys.argv[1])]
print(runs[0] if runs else "")' "$2")
    [ -n "$best" ] && cp "$best" "$run"
}

# number NAME FILE: the number of that name in the JSON object that shrink said.
number() {
    /usr/bin/python3 -c 'import json, sys; print(json.load(open(sys.argv[2]))[sys.argv[1]])' "$1" "$2"
}

# scene KIND BUG: the path of what was written by hand.
scene() {
    case $1 in
    libraft) echo "$clusters/figure8.sh" ;;
    pysyncobj) echo "$clusters/workload/pysyncobj_restart.sh" ;;
    *) echo "$clusters/raftkv/$2.sh" ;;
    esac
}

# by_hand KIND BUG: sets $hand_events $hand_faults $hand_messages
by_hand() {
    rm -f hand.drd hand.small.drd
    "$drd" simulate --seed 1 -o hand.drd -- sh "$(scene "$1" "$2")" "$build" >said 2>&1 || true
    "$drd" shrink --json --for 1min -o hand.small.drd hand.drd >hand.json 2>said || return 1
    hand_events=$(number events_before hand.json) hand_messages=$(number messages_after hand.json)
    hand_faults=$("$drd" log --kind fault hand.drd | grep -c . || true)
}

one() {
    kind=${1%%:*} bug=${1##*:} class=${1#*:}
    class=${class%:*}
    if ! found "$kind" "$class" "$bug"; then
        printf '%-14s not found in %s\n' "$bug" "$EXPLORE"
        return 0
    fi
    small=$KEEP/$class-$bug.small.drd
    rm -f "$small"
    if ! "$drd" shrink --json --for "$SHRINK" -o "$small" "$run" >small.json 2>said; then
        printf '%-14s not shrunk: %s\n' "$bug" "$(tail -n 1 said)"
        return 0
    fi
    by_hand "$kind" "$bug" || { hand_events=0 hand_faults=- hand_messages=-; }
    printf '%-14s %9s %7s %9s   %9s %7s %9s   %9s %7s %9s   %6s %6s %8s\n' "$bug" \
        "$(number events_before small.json)" "$(number faults_before small.json)" "$(number messages_before small.json)" \
        "$(number events_after small.json)" "$(number faults_after small.json)" "$(number messages_after small.json)" \
        "$hand_events" "$hand_faults" "$hand_messages" \
        "$(awk "BEGIN { print $hand_events ? sprintf(\"%.2f\", $(number events_after small.json) / $hand_events) : \"-\" }")" \
        "$(number runs small.json)" "$(awk "BEGIN { printf \"%.1f\", $(number real_ns small.json) / 1e9 }")"
}

machine
printf '%-14s %27s   %27s   %27s\n' "" "found" "left" "by hand"
printf '%-14s %9s %7s %9s   %9s %7s %9s   %9s %7s %9s   %6s %6s %8s\n' scene events faults messages events faults messages \
    events faults messages ratio runs seconds
for case in $CASES; do one "$case"; done
