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

# A voter that forgets whom it voted for, and ten faults, of which some matter.
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
"$drd" simulate --seed 5 --plan ten.plan -o first.drd -- \
    env COMMANDS=200 KILL=no RATE=200 RAFTKV_BUG=T01a sh "$workload" "$build" >out 2>err </dev/null || true
expect 1 "$drd" triage --no-cache --no-source first.drd
print=$(grep -o '[0-9]*:[0-9a-f]*-T[0-9]*' out | head -n 1)
expect 0 "$drd" shrink first.drd --json -o small.drd
/usr/bin/python3 -c 'import json, sys
s = json.load(open("out"))
assert s["fingerprint"] == sys.argv[1], s["fingerprint"]
assert s["steps_before"] == 10 and s["steps_after"] < 10, (s["steps_before"], s["steps_after"])
assert s["events_after"] <= s["events_before"] * 5 / 4
assert len(s["plan"].splitlines()) == s["steps_after"]
try:
    import jsonschema
    jsonschema.validate(s, json.load(open(sys.argv[2])))
except ImportError:
    pass' "$print" "$here/../../docs/shrink.schema.json" || wrong "not what was wanted"
expect 1 "$drd" triage --no-cache --no-source small.drd
says "$print"
expect 0 "$drd" replay small.drd
[ "$(find . -maxdepth 1 -name 'small.drd*' | wc -l)" -eq 1 ] || wrong "left behind: $(echo small.drd*)"

# Nothing went wrong; a number that is not there; a file that is.
expect 0 "$drd" simulate -o well.drd -- true
refuse 5 'drd: well.drd: nothing went wrong in this run*' "$drd" shrink well.drd
refuse 129 'drd: --count NOTHING*' "$drd" shrink --count NOTHING -o other.drd first.drd
refuse 128 'drd: small.drd exists' "$drd" shrink -o small.drd first.drd
leave
