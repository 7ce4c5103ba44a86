#!/bin/sh
# How often drd explain is right. Every planted mistake of tests/nodes/raftkv (bugs.def) is set off by its scenario in
# tests/cluster/raftkv, recorded and explained; twice, once with the marks of the nodes and once from their messages and
# disk writes alone. What it should have said is known: the mark "bug ID" stands where the mistake acted.
#   explain.sh [BUILD]     RUNS=1 of each; IDS="T07a T01b"; MODES="marks nomarks"; KEEP=DIR for the last run of each
#                          (ID.marks.drd, ID.nomarks.drd) and what was said of them (judged); FROM=DIR: those runs again
#
# Columns: runs in which the mistake acted; of these: seen (by the scenario: nodes differ, or a client was told what is not so),
# found (a violation is reported), class and node of the cause as planted, event in the very turn of the event loop in which
# it acted, wrong (certainty "known" with another class or node); steps of the chain and time (medians).
set -eu
. "$(dirname "$0")/lib.sh"
scenarios=$bench/../cluster/raftkv
RUNS=${RUNS:-1} MODES=${MODES:-marks nomarks}
FROM=${FROM:-} KEEP=${KEEP:-$scratch}
IDS=${IDS:-$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$bench/../nodes/raftkv/bugs.def")}

# Sets $status to how the scenario ended: 3 if there is no run. A scene that could not be set up, on a machine that is busy, is set up again.
record() {
    if [ -n "$FROM" ]; then
        status=3
        [ ! -f "$2" ] || status=$("$drd" show --json "$2" | member exit_status)
        return 0
    fi
    for try in 1 2 3; do
        rm -f "$2" "$2-journal"
        status=0
        MARKS=$3 "$drd" record -o "$2" -- sh "$scenarios/$1.sh" "$build" >"$scratch/said" 2>&1 || status=$?
        [ "$status" -gt 1 ] || return 0
    done
    echo "$1, $3: the scene could not be set up: $(tail -n 1 "$scratch/said")" >&2
}

# judge ID RUN: a line of nine numbers for the sums: acted seen found class node event wrong steps ms
judge() {
    got=0
    "$tools/turn" "$2" "$1" >"$scratch/acts" || got=$?
    if [ $got -ne 0 ]; then
        echo "0 0 0 0 0 0 0 - -"
        return 0
    fi
    "$tools/measure" "$scratch/measured" "$drd" explain --json "$2" >"$scratch/json" 2>"$scratch/said" || true
    "$tools/verdict" "$scratch/json" >"$scratch/words" 2>/dev/null || echo "unknown - - - - unknown 0 0" >"$scratch/words"
    read -r said property class node event certainty steps also <"$scratch/words"
    planted=$(cut -d ' ' -f 1 "$scratch/acts" | sort -u)
    found=0 class_right=0 node_right=0 event_right=0 wrong=0
    if [ "$said" = violated ]; then found=1; fi
    if [ "$class" = "${1%?}" ]; then class_right=1; fi
    for name in $planted; do if [ "$node" = "$name" ]; then node_right=1; fi; done
    if [ "$event" != - ] && "$tools/turn" "$2" "$1" "$event" >/dev/null 2>&1; then event_right=1; fi
    if [ "$certainty" = known ] && [ $class_right$node_right != 11 ]; then wrong=1; fi
    echo "1 $((status == 1)) $found $class_right $node_right $event_right $wrong $steps $(field wall_ms <"$scratch/measured")"
    echo "$1 $mode: status $status, $said $property; $class $node $event $certainty; acted $(head -n 1 "$scratch/acts")" >>"$KEEP/judged"
}

# one ID MODE: RUNS runs of it, as a line of the table; the sums go on to $scratch/sums.
one() {
    marks=yes
    [ "$2" = marks ] || marks=no
    run=${FROM:-$KEEP}/$1.$2.drd
    : >"$scratch/lines"
    for number in $(seq "$RUNS"); do
        record "$1" "$run" $marks
        if [ "$status" -le 1 ]; then judge "$1" "$run"; else echo "0 0 0 0 0 0 0 - -"; fi >>"$scratch/lines"
        rm -f "$scratch/$1.$2.drd"
    done
    steps=$(cut -d ' ' -f 8 "$scratch/lines" | grep -v '^-' | median)
    ms=$(cut -d ' ' -f 9 "$scratch/lines" | grep -v '^-' | median)
    awk -v id="$1" -v mode="$2" -v runs="$RUNS" -v steps="$steps" -v ms="$ms" -v sums="$scratch/sums" '
        { for (i = 1; i <= 7; i++) sum[i] += $i; if ($2) found += $3 }
        END {
            printf "%-5s %-8s %5d %6d %5d %6d %6d %5d %6d %6d %6s %6s\n", id, mode, runs, sum[1], sum[2], sum[3], sum[4],
                   sum[5], sum[6], sum[7], steps, ms
            print mode, runs, sum[1], sum[2], found + 0, sum[4], sum[5], sum[6], sum[7] >> sums
        }' "$scratch/lines"
}

percent() {
    awk -v mode="$1" '
        function part(name, count, of) { printf "  %-34s %4d of %4d  %5.1f %%\n", name, count, of, of ? 100 * count / of : 0 }
        $1 == mode { for (i = 2; i <= 9; i++) sum[i] += $i }
        END {
            print mode ":"
            part("mistake acted", sum[3], sum[2])
            part("violation found, of those to be seen", sum[5], sum[4])
            part("class right", sum[6], sum[3])
            part("node right", sum[7], sum[3])
            part("event right", sum[8], sum[3])
            part("known, and wrong", sum[9], sum[3])
        }' "$scratch/sums"
}

machine
: >"$scratch/sums"
printf '%-5s %-8s %5s %6s %5s %6s %6s %5s %6s %6s %6s %6s\n' id mode runs acted seen found class node event wrong steps ms
for id in $IDS; do
    for mode in $MODES; do one "$id" "$mode"; done
done
for mode in $MODES; do percent "$mode"; done
awk '{ wrong += $9 } END { exit wrong > 0 }' "$scratch/sums"
