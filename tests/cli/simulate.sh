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

# Struck at a moment: by one fault, with no other until it is over; what was drawn does it again without a model. None after the model's
# last moment, and none where there is no model.
printf 'until 2s\nevery 20ms\nmessages 0\nvary 0\ncut 1 300ms\n' >../model
for kind in cut-one-way reset kill crash pause skew jump disk-slow; do echo "$kind 0" >>../model; done
faults() { "$drd" log --no-pager --kind fault "$1" | sed -n 's/^[^ ]* *\([0-9.]*\) s *fault /\1 /p'; }
printf 'strike 0.5 7 n2\n' >../plan
simulate struck.drd --model ../model --plan ../plan
faults ../struck.drd | awk '
    $1 < 0.49 { next } # its times begin with the first process
    !cut && /cut n2/ { cut = $1; next }
    cut && !over && $1 > cut + 0.14 { over = 1 }
    cut && !over { print; wrong = 1 }
    END { exit wrong || !over || cut > 0.51 }' || { faults ../struck.drd; echo "FAIL: n2 is not the only one that is struck"; exit 1; }
simulate quiet.drd --plan ../plan
[ -z "$(faults ../quiet.drd)" ] || { faults ../quiet.drd; echo "FAIL: struck without a model"; exit 1; }
printf 'from 100s\nuntil 1s\n' >../model
printf 'strike 1.0 7\nstrike 3.0 7\n' >../plan
simulate late.drd --model ../model --plan ../plan
[ -z "$(faults ../late.drd)" ] || { faults ../late.drd; echo "FAIL: struck after the model's last moment"; exit 1; }

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

# A plan ends the world, and has a process rest until then; the status is that of --limit, and nothing is said of how the command
# would have ended.
expect_status() {
    status=0
    wanted=$1
    shift
    "$@" >../said 2>&1 || status=$?
    [ "$status" -eq "$wanted" ] || { cat ../said; echo "FAIL: $*: status $status, not $wanted"; exit 1; }
}
naps='i=0; while [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done'
printf 'end 2.05\n' >../plan
expect_status 124 "$drd" simulate --plan ../plan --output ../e.drd -- sh -c "$naps"
expect_status 0 "$drd" replay ../e.drd
printf 'rest 0.35 1.85 1\nend 2.05\n' >../plan
expect_status 124 "$drd" simulate --plan ../plan --output ../f.drd -- sh -c "$naps"
naps_of() { "$drd" show --all "$1" | grep -c ' sleep '; }
[ "$(naps_of ../e.drd)" -gt 19 ] && [ "$(naps_of ../f.drd)" -lt 8 ] ||
    { echo "FAIL: $(naps_of ../e.drd) and $(naps_of ../f.drd) naps"; exit 1; }
expect_status 0 "$drd" triage --no-cache --no-source ../e.drd
printf 'rest 0.1 0.2 4711\n' >../plan
expect_status 0 "$drd" simulate --plan ../plan --output ../g.drd -- true
grep -q 'rest 0.100000000 0.200000000 4711: ' ../said

# The environment that a run was made with makes it again; another one does not.
words() { env -i PATH="$PATH" $1 "$drd" simulate $2 --output "$3" -- sh -c 'echo "$A"' 2>../said || { cat ../said; exit 1; }; }
[ "$(words A=one '' ../h.drd)" = one ]
[ "$(words 'A=two B=more' '--environment ../h.drd' ../i.drd)" = one ]
"$build/tests/tools/same" ../h.drd ../i.drd
expect_status 128 "$drd" simulate --environment ../nowhere.drd --output ../none.drd -- true
[ ! -e ../none.drd ]

# A signal from outside ends the world at once, and nothing is left behind: what runs in it does not get it. (The spool is in use once
# the world is there.)
mkdir ../spools
long='trap "echo heard" TERM; i=0; while [ $i -lt 100000 ]; do sleep 0.1; i=$((i + 1)); done'
DRD_SPOOL_BASE=$(cd .. && pwd)/spools setsid "$drd" simulate --output ../j.drd -- sh -c "$long" >../heard 2>../said &
simulator=$!
trap 'kill $simulator 2>/dev/null || true' EXIT
tries=0
until [ -n "$(find ../spools -name '000001.*')" ] || [ $tries -gt 1200 ]; do sleep 0.05; tries=$((tries + 1)); done
status=0
python3 -c 'import os, signal, sys; os.killpg(int(sys.argv[1]), signal.SIGTERM)' $simulator
wait $simulator || status=$?
[ $status -eq 143 ] || { cat ../said; echo "FAIL: interrupted, status $status"; exit 1; }
[ -z "$(find ../spools -mindepth 1)" ] && [ ! -s ../heard ] || { find ../spools; cat ../heard; echo "FAIL: left behind"; exit 1; }
expect_status 0 "$drd" replay ../j.drd
