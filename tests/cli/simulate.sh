#!/bin/sh
# drd simulate: one seed is one run, with faults drawn from it too; what was drawn repeats it as a plan; wrong plans and models.
set -eu
build=$1 scratch=$2
workload=$(cd "$(dirname "$0")/../cluster/workload" && pwd)/raftkv.sh
drd=$build/drd
[ -x "$build/tests/nodes/raftkv" ] || { echo "skipped: no raftkv"; exit 77; }
rm -rf "$scratch"
mkdir -p "$scratch/empty"
cd "$scratch/empty"

simulate() {
    run=../$1
    shift
    KILL=no COMMANDS=3000 PORT=12000 "$drd" simulate --seed 3 --limit 60 --output "$run" "$@" -- sh "$workload" "$build" >../said 2>&1 || true
}

# wrong STATUS TEXT plan|model: refused, and why
wrong() {
    status=0
    "$drd" simulate "--$3" ../wrong --output ../none.drd -- true >../said 2>&1 || status=$?
    [ "$status" = "$1" ] && grep -qF "$2" ../said && [ ! -e ../none.drd ] || { cat ../said; echo "FAIL: $2: status $status"; exit 1; }
}

simulate a.drd --faults
simulate b.drd --faults
"$build/tests/tools/same" ../a.drd ../b.drd
"$drd" replay ../a.drd
"$drd" log --kind fault ../a.drd | grep -q fault || { echo "FAIL: no fault was drawn"; exit 1; }

printf 'at 0.4 crash n1\nat 0.9 restart n1\nat 1.0 lie n1\n' >../wrong
wrong 129 'line 3: lie: not a fault' plan
printf 'cut 1\nexplode 2\n' >../wrong
wrong 129 'line 2: explode: not a word of a model' model

printf 'at 0.4 crash n1\nat 0.9 restart n1\nat 1.0 kill nobody\nevent 7@99999999 drop\n' >../plan
simulate c.drd --plan ../plan
grep -q 'at 1.000000000 kill nobody: no node nobody; known are ' ../said
grep -q 'event 7@99999999 drop: the process has no such event in this run' ../said
simulate d.drd --plan ../plan
"$build/tests/tools/same" ../c.drd ../d.drd
"$drd" replay ../c.drd
