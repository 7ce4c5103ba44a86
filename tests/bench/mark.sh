#!/bin/sh
# What a mark costs, in ns: without DRD, and recorded. Medians of ROUNDS (default 5).
#   mark.sh [BUILD]
set -eu
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5} MARKS=${MARKS:-200000}

round=0
while [ $round -lt "$ROUNDS" ]; do
    round=$((round + 1))
    "$tools/mark" $((MARKS * 100)) >>"$scratch/without"
    rm -f "$scratch/run.drd"
    "$drd" record -o "$scratch/run.drd" -- "$tools/mark" "$MARKS" >>"$scratch/recorded" 2>/dev/null
done
grep -q recorded=0 "$scratch/without" && grep -q recorded=1 "$scratch/recorded"
machine
printf '%-14s %10s %10s\n' "ns a mark" without recorded
for kind in apply append_entry text; do
    for way in without recorded; do
        sed -n "s/.*\\b$kind=\\([0-9.]*\\).*/\\1/p" "$scratch/$way" | median >"$scratch/median.$way"
    done
    printf '%-14s %10s %10s\n' $kind "$(cat "$scratch/median.without")" "$(cat "$scratch/median.recorded")"
done
