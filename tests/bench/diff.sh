#!/bin/sh
# What drd diff is worth. Every planted mistake of tests/nodes/raftkv is recorded in its scenario (B), and the same scenario with
# a correct server (A): is the first difference an event of the explanation of B? So are real failures: Figure 8 with libraft, a
# restart of pysyncobj, each beside a run of the same test that did not fail. A calm scenario is recorded again and again. And
# runs of 10^4, 10^5 and 10^6 messages against themselves and another: time and peak memory.
#   diff.sh [BUILD]     IDS="T07a T01b", "" none; MARKS=no; REAL=no; CALM=20 recordings; SIZES="10000 100000 1000000";
#                       KEEP=DIR for the runs; FROM=DIR: runs of explain.sh (ID.marks.drd) or an earlier diff.sh, and
#                       ID.none.drd beside them, are taken instead of new ones
#
# Columns: named: what the diff reports of B that is the cause or a step of the chain: "event" what it did first, "received" the
# message before, "after" the last thing it did in both runs; "turn" none of them, but it lies in the turn of the event loop in
# which the mistake acted; lines: of the diff; self: B against itself is empty and ends with 0; ms: of the diff.
set -eu
. "$(dirname "$0")/lib.sh"
scenarios=$bench/../cluster/raftkv
CALM=${CALM:-20} FROM=${FROM:-} KEEP=${KEEP:-$scratch} MARKS=${MARKS:-yes} REAL=${REAL:-yes} SIZES=${SIZES-10000 100000 1000000}
IDS=${IDS-$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$bench/../nodes/raftkv/bugs.def")}
mode=marks
[ "$MARKS" = yes ] || mode=nomarks

# record RUN SCENARIO BUG: a correct server may leave a scenario in the middle (status 2): where the mistake would be needed.
record() {
    if [ -n "$FROM" ]; then return 0; fi
    rm -f "$1"
    BUG=$3 MARKS=$MARKS "$drd" record -o "$1" -- sh "$scenarios/$2.sh" "$build" >"$scratch/said" 2>&1 || true
}

# in_turn RUN ID: is one of the events in $scratch/events of the turn in which the mistake acted?
in_turn() {
    while read -r event _; do
        if "$tools/turn" "$1" "$2" "$event" >/dev/null 2>&1; then return 0; fi
    done <"$scratch/events"
    return 1
}

# judge NAME A B [ID]
judge() {
    named=- self=0
    "$drd" explain --no-source --json "$3" >"$scratch/explain" 2>/dev/null || true
    "$tools/measure" "$scratch/measured" "$drd" diff --json "$2" "$3" >"$scratch/diff" 2>"$scratch/said" || true
    : >"$scratch/events"
    if "$tools/parted" "$scratch/explain" "$scratch/diff" >"$scratch/events"; then
        named=$(sed -n 's/^[^ ]* \([a-z]*\) \*$/\1/p' "$scratch/events" | head -n 1)
    elif [ $# -gt 3 ] && in_turn "$3" "$4"; then
        named=turn
    fi
    lines=$("$drd" diff "$2" "$3" 2>/dev/null | wc -l) || true
    if "$drd" diff "$3" "$3" >"$scratch/self" 2>&1 && [ ! -s "$scratch/self" ]; then self=1; fi
    printf '%-10s %-8s %5d %5d %6s  %s\n' "$1" "$named" "$lines" $self "$(field wall_ms <"$scratch/measured")" \
        "$(head -n 1 "$scratch/events")"
    echo "$named $lines $self" >>"$scratch/sums"
}

one() {
    b=${FROM:-$KEEP}/$1.$mode.drd a=${FROM:-$KEEP}/$1.none.drd
    record "$b" "$1" "$1"
    record "$a" "$1" none
    if ! "$tools/turn" "$b" "$1" >/dev/null 2>&1 || [ ! -f "$a" ]; then
        echo "$1: the mistake did not act, or there is no run without it" >&2
        return 0
    fi
    judge "$1" "$a" "$b" "$1"
}

# real NAME PASSES FAILS: two commands, recorded until the first passes and the second fails, three times at most each.
real() {
    a=${FROM:-$KEEP}/$1.passed.drd b=${FROM:-$KEEP}/$1.failed.drd
    if [ -z "$FROM" ]; then
        until_status 0 "$a" "$2"
        until_status 1 "$b" "$3"
    fi
    if [ -f "$a" ] && [ -f "$b" ]; then judge "$1" "$a" "$b"; else echo "$1: not recorded" >&2; fi
}

# until_status STATUS RUN COMMAND
until_status() {
    for _ in 1 2 3; do
        rm -f "$2"
        got=0
        DRD_BUILD=$build "$drd" record -o "$2" -- sh -c "$3" >"$scratch/said" 2>&1 || got=$?
        if [ $got -eq "$1" ]; then return 0; fi
    done
    rm -f "$2"
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

# size MESSAGES: load on three raftkv servers, four messages or so for each command, twice; against itself, and the other.
size() {
    for which in a b; do
        run=${FROM:-$KEEP}/size$1.$which.drd
        if [ -f "$run" ]; then continue; fi
        COMMANDS=$(($1 / 4)) RATE=0 KILL=no WINDOW=16 SNAPSHOT=100000000 "$drd" record -o "$run" --only raftkv -- \
            sh "$workload/raftkv.sh" "$build" >"$scratch/said" 2>&1 || { tail -n 3 "$scratch/said" >&2; return 0; }
    done
    for other in a b; do
        rm -f "$scratch/measured"
        "$tools/measure" "$scratch/measured" "$drd" diff --json "${FROM:-$KEEP}/size$1.a.drd" "${FROM:-$KEEP}/size$1.$other.drd" \
            >"$scratch/diff" 2>/dev/null || true
        m() { field "$1" <"$scratch/measured"; }
        printf '%9d messages and %-7s %6.2f s  processor %6.2f s  peak %6.1f MiB  %s items equal\n' \
            "$(member messages <"$scratch/diff")" "$([ $other = a ] && echo itself || echo another)" \
            "$(awk "BEGIN { print $(m wall_ms) / 1000 }")" "$(awk "BEGIN { print ($(m user_ms) + $(m system_ms)) / 1000 }")" \
            "$(awk "BEGIN { print $(m peak_kb) / 1024 }")" "$(member equal <"$scratch/diff")"
    done
}

machine
: >"$scratch/sums"
if [ -n "$IDS" ] || [ "$REAL" = yes ]; then
    printf '%-10s %-8s %5s %5s %6s  %s\n' id named lines self ms first
    for id in $IDS; do one "$id"; done
    if [ "$REAL" = yes ]; then
        real figure8 "WINS=s0 sh '$bench/../cluster/figure8.sh'" "sh '$bench/../cluster/figure8.sh'"
        real restart "BACK='1 2 3' sh '$workload/pysyncobj_restart.sh'" "sh '$workload/pysyncobj_restart.sh'"
    fi
    awk '{ n++; by[$1]++; if ($2 <= 60) fits++; self += $3 }
         END { chain = by["event"] + by["received"] + by["after"]
               printf "first difference in the chain: %d of %d (%.0f %%: %d what it did, %d the message before, %d what it did last in both), ",
                   chain, n, n ? 100 * chain / n : 0, by["event"], by["received"], by["after"]
               printf "%d more in the acting turn; fits a screen: %d; itself: empty %d\n", by["turn"], fits, self
               exit n == 0 || fits < n || self < n }' "$scratch/sums"
fi
if [ "$CALM" -gt 0 ]; then calm; fi
if [ -n "$SIZES" ]; then echo "load average: $(cut -d ' ' -f 1-3 /proc/loadavg)"; fi
for messages in $SIZES; do size "$messages"; done
