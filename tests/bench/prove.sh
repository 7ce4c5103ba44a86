#!/bin/sh
# What drd explain --prove says of the planted mistakes: every scene of tests/cluster/raftkv is simulated, explained and proved.
#   prove.sh [BUILD]     IDS="T07a T01b"; TIMES=5; SEED=1; JOBS=
#
# Columns: the class that is named; what is broken (violation, rule); proved, holds (it is there with every change that was tried: it
# needs none of these inputs), open or none; how many changes were tried; gone and there, of the change that proves it, out of TIMES; in
# how many of those runs the command succeeded; wrong, where a class is proved that was not planted, or by a change of what came only
# after the mistake had acted (the mark "bug ID" says where that was); seconds; and the change.
set -eu
. "$(dirname "$0")/lib.sh"
scenes=$bench/../cluster/raftkv
TIMES=${TIMES:-5} SEED=${SEED:-1} JOBS=${JOBS:-}
IDS=${IDS:-$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$bench/../nodes/raftkv/bugs.def")}

row() {
    /usr/bin/python3 - "$1" "$2" "$3" "$4" "$5" <<'END_OF_ROW'
import json, re, sys
scene, seconds, path, acts, log = sys.argv[1:]

def place(event):
    """The line of `drd log --all`, which has causes before their effects."""
    name = event + " "
    return next((n for n, line in enumerate(open(log, errors="replace")) if line.startswith(name)), None)

def is_late(trial):
    last = max((place(line.split()[3]) or 0 for line in open(acts)), default=0)
    changed = [place(event) for event in re.findall(r"--[a-z]+ ([^ =]+@[0-9]+)", trial["option"])]
    return None in changed or not last or min(changed, default=0) > last

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
wrong = "WRONG" if trial and (named != scene[:3] or is_late(trial)) else "-"
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
    seconds=$(echo "$(date +%s.%N) $begin" | awk '{ print $1 - $2 }')
    "$tools/turn" "$scratch/run.drd" "$id" >"$scratch/acts" 2>&1 || true
    "$drd" log --all --no-pager "$scratch/run.drd" >"$scratch/log" 2>/dev/null || true
    row "$id" "$seconds" "$scratch/json" "$scratch/acts" "$scratch/log"
done | tee "$scratch/rows"
awk '
    { n++; s[$4]++; if ($4 != "proved") names = names " " $1; if ($4 == "proved" && $9 == "WRONG") w = w " " $1 }
    END {
        printf "%d scenes. needs an input: %d, of which proved %d; needs none of those tried: %d; nothing to prove: %d; not proved:%s; proved and wrong:%s\n",
               n, s["proved"] + s["open"], s["proved"], s["holds"], n - s["proved"] - s["open"] - s["holds"], names ? names : " none", w ? w : " none"
    }' "$scratch/rows"
awk '$4 != "none" && $4 != "-" { print $10 }' "$scratch/rows" | median | sed 's/^/seconds, median: /'
