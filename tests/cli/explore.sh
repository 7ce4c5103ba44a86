#!/bin/sh
# drd explore: what fails is found, grouped, kept and told; what it says of itself; how it refuses; Ctrl-C and --resume.
#   explore.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
export DRD_STORE="$scratch/store"
scenario=$here/../cluster/raftkv/T07a.sh

says() {
    grep -q -- "$1" out || wrong "does not say '$1'"
}

# A failure, found with every seed, is one group; its runs are runs.
expect 1 "$drd" explore --seeds 1..3 --jobs 2 -- sh "$scenario" "$build"
says '^FAILS  [0-9]*:[0-9a-f]*-T07  3 of 3 runs, the first with seed [123]$'
says "REPRODUCE  drd simulate --seed [123] -- sh .*T07a.sh"
says '^3 runs, 1 failure  (violation 3)'
tag=$(sed -n 's/^   KEPT *\(explore-[0-9a-f]*-T07\),.*/\1/p' out)
expect 1 "$drd" explain "$tag"
says '\[T07, '
expect 0 "$drd" replay "$tag"
[ "$(find store/runs -name '*.drd' | wc -l)" -eq 3 ] || wrong "not three runs were kept"

# It goes on where it was: the runs of before count, and are not run again.
expect 1 "$drd" explore --resume --seeds 1..4 --jobs 1 -- sh "$scenario" "$build"
says '^4 runs, 1 failure  (violation 4).*3 of the runs from before'
[ "$(wc -l <"$(find store/explore -name journal)")" -le 5 ] || wrong "the journal has more than was run"

# A line that a kill cut short is not read.
journal=$(find store/explore -name journal)
printf '{"case":9,"seed":4,"kind":"viol' >>"$journal"
expect 1 "$drd" explore --resume --seeds 1..4 --jobs 1 -- sh "$scenario" "$build"
says '^4 runs'

# Nothing to find, and a command that fails by itself; what is kept.
expect 0 "$drd" explore --runs 2 --keep all -- true
says '^2 runs, 0 failures  (healthy 2)'
[ "$(find store/runs -name '*.drd' | wc -l)" -eq 6 ] || wrong "--keep all kept $(find store/runs -name '*.drd' | wc -l)"
expect 1 "$drd" explore --runs 2 --jobs 1 -- sh -c 'echo out of luck >&2; exit 3'
says 'WHAT       the test failed: .*out of luck'

# The world comes to an end: everybody waits for ever.
expect 1 "$drd" explore --runs 1 -- /usr/bin/python3 -c 'import os; os.read(os.pipe()[0], 1)'
says 'WHAT       hang: the world came to an end: every process waits for ever'

# What did no harm at first is told by the first run in which it does.
cat >scene.sh <<EOF
if [ -e "$PWD/harm" ]; then exec sh "$here/../cluster/raftkv/T05a.sh" "$build"; fi
exec sh "$here/../cluster/raftkv/T05b.sh" "$build"
EOF
expect 0 "$drd" explore --seeds 1..2 --jobs 1 -- sh scene.sh
says '^RULE   [0-9]*:[0-9a-f]*-T05  2 of 2 runs, the first with seed 1$'
touch harm
expect 1 "$drd" explore --resume --seeds 1..3 --jobs 1 -- sh scene.sh
says '^FAILS  [0-9]*:[0-9a-f]*-T05  3 of 3 runs, the first with seed 3$'
says '^   RUN        State Machine Safety broken'
tag=$(sed -n 's/^   KEPT *\(explore-[0-9a-f]*-T05\), [0-9a-f]*, [0-9a-f]*$/\1/p' out)
expect 1 "$drd" explain "$tag"

# Ctrl-C: what was found is told.
rm "$journal"
"$drd" explore --for 10min --jobs 1 -- sh "$scenario" "$build" >out 2>err &
explorer=$!
wait_for grep -q T07 "$journal"
kill -INT $explorer
got=0
wait $explorer || got=$?
[ $got -eq 1 ] || wrong "stopped: status $got"
says '^FAILS '
expect 1 "$drd" explore --json --seeds 1..1 -- sh "$scenario" "$build"
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    /usr/bin/python3 -c 'import json, jsonschema, sys
jsonschema.validate(json.load(open("out")), json.load(open(sys.argv[1])))' "$here/../../docs/explore.schema.json" || wrong "not what the schema says"
fi

# Until a certain mistake, of which there is another: not before the runs are over.
expect 1 "$drd" explore --until T07 --runs 4 --jobs 1 -- sh "$scenario" "$build"
says '^1 run, 1 failure'
expect 1 "$drd" explore --until T15 --runs 2 --jobs 1 -- sh "$scenario" "$build"
says '^2 runs, 1 failure'

# Bad words.
for bad in "--seeds 5" "--seeds 5..3" "--seeds 5..x" "--seeds -1..2" "--for soon" "--for 0" "--jobs -1" "--seeds 1..2 --runs 3"; do
    # shellcheck disable=SC2086
    refuse 129 'drd: --*' "$drd" explore $bad -- true
done
for bad in T7 T0x success; do refuse 129 "drd: --until $bad: not failure, violation or a class*" "$drd" explore --until $bad -- true; done
printf 'cut 1\nexplode 2\n' >wrong.model
refuse 129 'drd: wrong.model: line 2: explode: not a word of a model*' "$drd" explore --model wrong.model -- true
refuse 128 'drd: cannot read none.model: *' "$drd" explore --model none.model -- true
refuse 129 'drd explore: *' "$drd" explore
expect 125 "$drd" explore --runs 5 -- no-such-program
grep -q 'no run can be judged: .*no-such-program' err || wrong "does not say why"
leave
