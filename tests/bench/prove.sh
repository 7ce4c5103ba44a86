#!/bin/sh
# What drd explain --prove says of the planted mistakes: every scene of tests/cluster/raftkv is simulated, explained and proved.
#   prove.sh [BUILD]     IDS="T07a T01b"; TIMES=5; SEED=1; JOBS=
#
# Columns: the class that is named; what is broken (violation, rule); proved, holds (it hangs on no single input), open or none; how
# many changes were tried; gone and there, of the change that proves it, out of TIMES; in how many of those runs the command succeeded;
# wrong, where the class is not the one that was planted; seconds; and the change.
set -eu
. "$(dirname "$0")/lib.sh"
scenes=$bench/../cluster/raftkv
TIMES=${TIMES:-5} SEED=${SEED:-1} JOBS=${JOBS:-}
IDS=${IDS:-$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$bench/../nodes/raftkv/bugs.def")}

row() {
    /usr/bin/python3 - "$1" "$2" "$3" <<'END_OF_ROW'
import json, sys
scene, seconds, path = sys.argv[1:]
try:
    answer = json.load(open(path))
except ValueError:
    print(f"{scene:5} -     -          -       the run was not explained")
    sys.exit()
cause, proof = answer["cause"], answer.get("proof")
named, broken = cause["class"] or "-", "violation" if answer["verdict"]["status"] == "violated" else "rule"
if not proof:
    print(f"{scene:5} {named:5} {broken:10} none")
    sys.exit()
trial = proof["tried"][proof["proving"]] if proof["proving"] is not None else None
counts = f"{trial['changed']['gone']:4} {trial['unchanged']['violated']:5} {trial['changed']['passed']:6}" if trial else "   -     -      -"
wrong = "WRONG" if trial and named != scene[:3] else "-"
text = f"{trial['option']}: {trial['text']}" if trial else ""
print(f"{scene:5} {named:5} {broken:10} {proof['state']:7} {len(proof['tried']):5} {counts} {wrong:5} {float(seconds):7.1f}  {text}")
END_OF_ROW
}

machine
echo "K = $TIMES"
echo "scene class broken     proof   tried gone there passed wrong seconds  change"
for id in $IDS; do
    rm -f "$scratch/run.drd"
    "$drd" simulate --seed "$SEED" -o "$scratch/run.drd" -- sh "$scenes/$id.sh" "$build" >"$scratch/said" 2>&1 </dev/null || true
    begin=$(date +%s.%N)
    "$drd" explain --prove --times "$TIMES" ${JOBS:+-j "$JOBS"} --no-source --json "$scratch/run.drd" >"$scratch/json" 2>"$scratch/said" || true
    row "$id" "$(echo "$(date +%s.%N) $begin" | awk '{ print $1 - $2 }')" "$scratch/json"
done | tee "$scratch/rows"
awk '{ n++; s[$4]++; if ($4 == "proved" && $9 == "WRONG") w++ } END { printf "%d scenes:", n; for (k in s) printf " %s %d", k, s[k]; print "; proved and wrong", w + 0 }' "$scratch/rows"
awk '$4 != "none" && $4 != "-" { print $10 }' "$scratch/rows" | median | sed 's/^/seconds, median: /'
