#!/bin/sh
# Every command with --json has a schema in docs/, docs/json.md names it, and what the command prints is what the schema says: no
# member that it does not describe, none missing that it promises. (drd explain: traces.sh)
#   json.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
docs=$here/../../docs traces=$here/../../traces
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || { echo "no python3-jsonschema: see tests/lib/packages.sh"; exit 77; }
export DRD_STORE="$scratch/store" XDG_CACHE_HOME="$scratch/kept"

# Members may come within a version, but not without a word in the schema: here, objects have no others.
cat >valid.py <<'END'
import json, sys
import jsonschema

def closed(schema):
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            closed(value)
    elif isinstance(schema, list):
        for value in schema:
            closed(value)

schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
closed(schema)
check = jsonschema.Draft7Validator(schema)
lines = sys.argv[3:] == ["lines"]
with open(sys.argv[2]) as file:
    values = [json.loads(line) for line in file] if lines else [json.load(file)]
errors = [e for value in values for e in check.iter_errors(value)]
for e in errors[:3]:
    print(list(e.path), e.message[:200])
if errors or not values:
    sys.exit(1)
for value in values[:50]:
    for name in schema["required"]:
        less = {key: value[key] for key in value if key != name}
        if check.is_valid(less):
            print("valid without", name)
            sys.exit(1)
END

: >out >err

# prints SCHEMA STATUS COMMAND...
prints() {
    name=$1 wanted=$2
    shift 2
    expect "$wanted" "$@"
    cp out said.json
    /usr/bin/python3 valid.py "$docs/$name.schema.json" said.json >errors 2>&1 || wrong "$*: $(tail -n 3 errors)"
}

# lines SCHEMA COMMAND...
lines() {
    name=$1
    shift
    expect 0 "$@"
    /usr/bin/python3 valid.py "$docs/$name.schema.json" out lines >errors 2>&1 || wrong "$*: $(tail -n 3 errors)"
}

# All that print JSON, and all schemas, are in the list.
for command in $("$drd" help | awk '/^  [a-z]/ { print $1 }'); do
    "$drd" "$command" --help | grep -q '^ *--json ' || continue
    grep -q "](drd-$command\.md)" "$docs/json.md" || wrong "docs/json.md does not know drd $command"
done
for schema in "$docs"/*.schema.json; do
    grep -q "]($(basename "$schema"))" "$docs/json.md" || wrong "docs/json.md does not know $(basename "$schema")"
    id=$(sed -n 's/.*"schema": {"const": "\([^"]*\)"}.*/\1/p' "$schema")
    grep -q "^| .*\`$id\`" "$docs/json.md" || wrong "docs/json.md does not know $id of $(basename "$schema")"
done
for id in $(grep -o '`drd\.[a-z.]*/1`' "$docs/json.md" | tr -d '`' | sort -u); do
    grep -q "{\"const\": \"$id\"}" "$docs"/*.schema.json || wrong "no schema for $id"
done

expect 0 "$drd" record -- sh -c 'echo one; cat /dev/null; ls /nowhere 2>/dev/null; exit 0'
expect 3 "$drd" record -- sh -c 'sleep 0.01 & wait; exit 3'
for trace in T01 T07 T12 T25; do
    prints show 0 "$drd" show --json "$traces/$trace.drd"
    lines event "$drd" log --json "$traces/$trace.drd"
    for index in 1 2 3; do prints blame 0 "$drd" blame --json "$traces/$trace.drd" $index; done
done
prints show 0 "$drd" show --json @
lines event "$drd" log --json @
prints event 0 "$drd" show --json "$traces/T07.drd@s0@5598"
prints event 0 "$drd" show --json --frames "$traces/T07.drd@s0@5598"
grep -q '"frames":\[{' said.json || wrong "no frames"
prints event 0 "$drd" show --json "$traces/T07.drd@s0@0"
prints doctor 0 "$drd" doctor --json
prints fsck 0 "$drd" fsck --json "$traces/T07.drd"
head -c 100000 "$traces/T07.drd" >cut.drd
prints fsck 128 "$drd" fsck --json cut.drd
prints replay 0 "$drd" replay --json @
# Of a trace the programs are not here, or are others: it diverges, or cannot be told; of both there is an object.
got=0
"$drd" replay --json "$traces/T07.drd" >said.json 2>err || got=$?
[ ! -s said.json ] || /usr/bin/python3 valid.py "$docs/replay.schema.json" said.json >errors || wrong "replay: $(cat errors)"
prints bisect 0 "$drd" bisect --json "$traces/T07.drd" -- sh -c 'cat >state; ! grep -q "\"violations\":\[{" state'
/usr/bin/python3 valid.py "$docs/state.schema.json" state >errors || wrong "drd.state/1: $(cat errors)"
prints diff 1 "$drd" diff --json "$traces/T01.drd" "$traces/T02.drd"
expect 0 "$drd" tag good @~1
prints tag 0 "$drd" tag --json
prints notes 0 "$drd" notes --json @
expect 0 "$drd" notes @ -m 'seen before'
prints notes 0 "$drd" notes --json @
prints gc 0 "$drd" gc --json --dry-run --keep 1
prints pack 0 "$drd" pack --json -o packed.drdpack @
prints unpack 0 env DRD_STORE="$scratch/other" "$drd" unpack --json packed.drdpack
prints triage 1 "$drd" triage --json --no-source "$traces"

# The check can fail.
for change in 's/"tags":\[{"tag":"good",/"tags":[{/' 's/"exists":true/"exists":"yes"/' 's/"tag":"good"/&,"colour":1/'; do
    "$drd" tag --json | sed "$change" >changed.json
    ! /usr/bin/python3 valid.py "$docs/tag.schema.json" changed.json >errors || wrong "valid after $change"
done
leave
