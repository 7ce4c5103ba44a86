#!/bin/sh
# drd shrink: fewer faults, the same fingerprint, a run as any other; how it refuses.
#   shrink.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
export DRD_STORE="$scratch/store"
workload=$here/../cluster/workload/raftkv.sh traces=$here/../../traces

says() {
    grep -q -- "$1" out || wrong "does not say '$1'"
}

refuse 125 'drd: *T07.drd: not a simulated run*' "$drd" shrink "$traces/T07.drd"
refuse 128 'drd: no such run: nowhere.drd*' "$drd" shrink nowhere.drd
refuse 129 'drd: --jobs *' "$drd" shrink --jobs -1 "$traces/T07.drd"
"$drd" simulate --help | grep -q -- '--plan' || { echo "drd simulate takes no plan"; exit 77; }

# A voter that forgets whom it voted for, and ten faults, of which some matter. What the workload reads of the environment stands in
# the run: nothing of it is there when it is made smaller.
cat >ten.plan <<'END'
at 0.3 pause n1
at 0.4 resume n1
at 0.5 cut n1 n2
at 0.6 heal
at 0.7 crash n3
at 0.8 restart n3
at 1.0 cut n2
at 1.4 heal
at 1.6 kill n1
at 1.65 restart n1
END
COMMANDS=200 KILL=no RATE=200 RAFTKV_BUG=T01a "$drd" simulate --seed 5 --plan ten.plan -o first.drd -- \
    sh "$workload" "$build" >out 2>err </dev/null || true
expect 1 "$drd" triage --no-cache --no-source first.drd
print=$(grep -o '[0-9]*:[0-9a-f]*-T[0-9]*' out | head -n 1)
expect 0 env -i PATH="$PATH" TMPDIR="$TMPDIR" DRD_SPOOL_BASE="$DRD_SPOOL_BASE" "$drd" shrink first.drd --json --for 90s -o small.drd
[ ! -s err ] || wrong "it does not come out the same"
/usr/bin/python3 -c 'import json, sys
s = json.load(open("out"))
assert s["fingerprint"] == sys.argv[1], s["fingerprint"]
assert s["faults_before"] == 10 and (s["faults_after"] <= 5 or s["stopped"]), (s["faults_before"], s["faults_after"])
assert s["events_after"] < s["events_before"] * (0.75 if s["stopped"] else 0.5), (s["events_before"], s["events_after"])
assert len(s["plan"].splitlines()) == s["steps_after"]
assert s["plan"].splitlines()[-1].startswith("end "), s["plan"]
names = [stage["stage"] for stage in s["stages"]]
assert names[:2] == ["tail", "faults"] and (s["stopped"] or "requests" in names and "late" in names), names
for one, next in zip(s["stages"], s["stages"][1:]):
    assert next["events_before"] == one["events_after"], s["stages"]
try:
    import jsonschema
    jsonschema.validate(s, json.load(open(sys.argv[2])))
except ImportError:
    pass' "$print" "$here/../../docs/shrink.schema.json" || wrong "not what was wanted"
"$drd" triage --no-cache --no-source small.drd >out 2>err || true # a test that failed is one that was ended: only the rule is left
says "$print"
expect 0 "$drd" replay small.drd
[ "$(find . -maxdepth 1 -name 'small.drd*' | wc -l)" -eq 1 ] || wrong "left behind: $(echo small.drd*)"

# What faults drew, and a mutation of it, stands in the plan that is kept: it is the run.
same=$build/tests/tools/same
again() {
    "$drd" simulate --seed 3 "$@" -o drawn.drd -- sh "$workload" "$build" >out 2>err </dev/null || true
    /usr/bin/python3 -c 'import sqlite3
for (text,) in sqlite3.connect("drawn.drd").execute("SELECT value FROM fact WHERE key = ?", ("plan",)):
    open("drawn.plan", "w").write(text)'
    "$drd" simulate --seed 3 --plan drawn.plan -o again.drd -- sh "$workload" "$build" >out 2>err </dev/null || true
    expect 0 "$same" drawn.drd again.drd
    rm -f drawn.drd again.drd
}
export COMMANDS=100 KILL=no RATE=200
printf 'from 0.2s\nuntil 2s\nevery 200ms\n' >often
again --model often
[ "$(grep -c '^at ' drawn.plan)" -gt 4 ] || wrong "hardly a fault was drawn"
printf 'fresh 0.5 77\n' >fresh.plan
again --model often --plan fresh.plan
grep -q '^fresh ' drawn.plan || wrong "the mutation is not in the plan"

# A file that the command reads is another one: it does not come out again, and is told where it parts.
echo 'RAFTKV_BUG=T01a; export RAFTKV_BUG' >knob
cat >knob.sh <<END
. ./knob
exec sh "$workload" "$build"
END
COMMANDS=200 "$drd" simulate --seed 5 --plan ten.plan -o knob.drd -- sh knob.sh >out 2>err </dev/null || true
echo 'RAFTKV_BUG=none; export RAFTKV_BUG' >knob
refuse 125 "drd: run again, it does not end with $print but with *; first difference sh#1@*: read = *" "$drd" shrink -o other.drd knob.drd

# Nothing went wrong; a number that is not there; a file that is.
expect 0 "$drd" simulate -o well.drd -- true
refuse 5 'drd: well.drd: nothing went wrong in this run*' "$drd" shrink well.drd
refuse 129 'drd: --count NOTHING*' "$drd" shrink --count NOTHING -o other.drd first.drd
refuse 128 'drd: small.drd exists' "$drd" shrink -o small.drd first.drd
leave
