#!/bin/sh
# What drd diff is worth. Every planted mistake of tests/nodes/raftkv is recorded in its scenario (B), and the same scenario
# with a correct server (A): is the first difference an event of the explanation of B? A calm scenario is recorded again and again.
#   diff.sh [BUILD]     IDS="T07a T01b"; MARKS=no; CALM=20 recordings; KEEP=DIR for the runs; FROM=DIR: runs of explain.sh
#                       (ID.marks.drd) or an earlier diff.sh, and ID.none.drd beside them, are taken instead of new ones
#
# Columns: chain: an event that FIRST names of B is the cause or a step of the chain; turn: it lies in the turn of the event loop in which the
# mistake acted (but not in the chain); lines: of the diff; self: B against itself is empty and ends with 0; ms: of the diff.
set -eu
. "$(dirname "$0")/lib.sh"
scenarios=$bench/../cluster/raftkv
CALM=${CALM:-20} FROM=${FROM:-} KEEP=${KEEP:-$scratch} MARKS=${MARKS:-yes}
IDS=${IDS:-$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$bench/../nodes/raftkv/bugs.def")}
mode=marks
[ "$MARKS" = yes ] || mode=nomarks

# record RUN SCENARIO BUG: a correct server may leave a scenario in the middle (status 2): where the mistake would be needed.
record() {
    if [ -n "$FROM" ]; then return 0; fi
    rm -f "$1"
    BUG=$3 MARKS=$MARKS "$drd" record -o "$1" -- sh "$scenarios/$2.sh" "$build" >"$scratch/said" 2>&1 || true
}

# named: is one of the events in $scratch/events of the turn in which the mistake acted?
named() {
    while read -r event; do
        if "$tools/turn" "$1" "$2" "$event" >/dev/null 2>&1; then return 0; fi
    done <"$scratch/events"
    return 1
}

one() {
    b=${FROM:-$KEEP}/$1.$mode.drd a=${FROM:-$KEEP}/$1.none.drd
    record "$b" "$1" "$1"
    record "$a" "$1" none
    if ! "$tools/turn" "$b" "$1" >/dev/null 2>&1 || [ ! -f "$a" ]; then
        echo "$1: the mistake did not act, or there is no run without it" >&2
        return 0
    fi
    chain=0 turn=0 self=0
    "$drd" explain --no-source --json "$b" >"$scratch/explain" 2>/dev/null || true
    "$tools/measure" "$scratch/measured" "$drd" diff --json "$a" "$b" >"$scratch/diff" 2>"$scratch/said" || true
    : >"$scratch/events"
    if "$tools/parted" "$scratch/explain" "$scratch/diff" >"$scratch/events"; then chain=1; elif named "$b" "$1"; then turn=1; fi
    lines=$("$drd" diff "$a" "$b" 2>/dev/null | wc -l) || true
    if "$drd" diff "$b" "$b" >"$scratch/self" 2>&1 && [ ! -s "$scratch/self" ]; then self=1; fi
    ms=$(field wall_ms <"$scratch/measured")
    printf '%-5s %5d %5d %5d %5d %6s  %s\n' "$1" $chain $turn "$lines" $self "$ms" "$(head -n 1 "$scratch/events")"
    echo "$chain $turn $lines $self" >>"$scratch/sums"
}

# Calm: no fault, no mistake, the leader told by the scenario. Each recording against the first.
calm() {
    same=0
    for number in $(seq 0 "$CALM"); do
        rm -f "$scratch/calm.drd"
        BUG=none MARKS=$MARKS "$drd" record -o "$scratch/calm.drd" -- sh "$scenarios/T06c.sh" "$build" >/dev/null 2>&1 || true
        if [ "$number" -eq 0 ]; then mv "$scratch/calm.drd" "$scratch/first.drd"; continue; fi
        if "$drd" diff "$scratch/first.drd" "$scratch/calm.drd" >"$scratch/said" 2>&1; then same=$((same + 1)); else sed -n 3,6p "$scratch/said"; fi
    done
    echo "calm: no difference that matters in $same of $CALM"
}

machine
: >"$scratch/sums"
printf '%-5s %5s %5s %5s %5s %6s  %s\n' id chain turn lines self ms first
for id in $IDS; do one "$id"; done
awk '{ n++; chain += $1; turn += $2; if ($3 <= 60) fits++; self += $4 }
     END { printf "first difference in the chain: %d of %d (%.0f %%), and %d in the acting turn; fits a screen: %d; itself: empty %d\n",
           chain, n, n ? 100 * chain / n : 0, turn, fits, self; exit n == 0 || fits < n || self < n }' "$scratch/sums"
if [ "$CALM" -gt 0 ]; then calm; fi
