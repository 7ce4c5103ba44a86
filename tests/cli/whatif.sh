#!/bin/sh
# drd whatif: without the acknowledgement on which it rests a violation is gone, with a late one it is there; how it refuses.
#   whatif.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
traces=$here/../../traces scene=$here/../cluster/raftkv/T07a.sh

refuse 125 'drd: cannot go on from this recording: the command that started its nodes was not recorded*' "$drd" whatif --drop s0@402 "$traces/T07.drd"
refuse 128 'drd: no such run: nowhere.drd*' "$drd" whatif --drop n1@1 nowhere.drd
refuse 129 'drd: nothing to change*' "$drd" whatif nowhere.drd

# the scene of Figure 8: n1 commits A when n3 has acknowledged it
expect 1 "$drd" simulate --seed 1 -o base.drd -- sh "$scene" "$build"
expect 1 "$drd" explain --json base.drd
cause=$(python3 -c 'import json; print(json.load(open("out"))["cause"]["event"])')
# what n1 did at the cause was to read n3's acknowledgement; n3's last send of it before then:
at=$("$drd" log base.drd --no-pager --node n1 --from "$cause" --to "$cause" | awk '{ print $2 }')
ack=$("$drd" log base.drd --no-pager --node n3 --kind write --to "$at" | awk '/ 64 bytes/ { event = $1 } END { print event }')
[ -n "$ack" ] || wrong "no acknowledgement of n3 before $cause at $at"

expect 0 "$drd" whatif --json --drop "$ack" base.drd
cp out dropped.json
python3 - "$here/../../docs/whatif.schema.json" <<'END' || wrong "drop: $(cat dropped.json)"
import json, sys
answer = json.load(open("dropped.json"))
try:
    import jsonschema
    jsonschema.validate(answer, json.load(open(sys.argv[1])))
except ImportError:
    print("no python3-jsonschema: the schema was not checked")
assert answer["unchanged"]["violated"] == 1 and answer["unchanged"]["same_fingerprint"] == 1, answer
assert answer["changed"]["violated"] == 0 and answer["changed"]["not_changed"] == 0, answer
END

expect 1 "$drd" whatif --delay "$ack=200ms" --seeds 2 -o . base.drd
grep -q '^UNCHANGED  2 of 2 violated, 2 with the same fingerprint' out || wrong "late: unchanged"
grep -q '^CHANGED    2 of 2 violated, 2 with the same fingerprint' out || wrong "late: changed"
for run in same-1 same-2 changed-1 changed-2; do
    expect 0 "$drd" replay "$run.drd"
done

# the run without a change is the run, byte for byte; one whose change cannot be made is told of
expect 125 "$drd" whatif --drop "$cause" -o . base.drd # a read sends nothing
grep -q 'a change could not be made' out || wrong "a change that cannot be made is not told of"
expect 0 "$build/tests/tools/same" base.drd same-0.drd

# the acknowledgement waits until n1 has told a client how far it is: it commits later, and wrongly all the same
answer=$("$drd" log base.drd --no-pager --node n1 --from "$cause" | awk '/write .* "1 STAT/ { print $1; exit }')
expect 1 "$drd" whatif --before "$answer" "$cause" -o . base.drd
grep -q "^CHANGE     $answer before $cause" out || wrong "before: $(cat out)"
grep -q '^CHANGED    1 of 1 violated, 1 with the same fingerprint' out || wrong "before: $(cat out)"
expect 0 "$drd" replay changed-0.drd
early=$("$drd" log same-0.drd --no-pager --node n1 --kind mark | awk '/mark commit 3 / { sub(".*@", "", $1); print $1 }')
late=$("$drd" log changed-0.drd --no-pager --node n1 --kind mark | awk '/mark commit 3 / { sub(".*@", "", $1); print $1 }')
[ "$early" -lt "${answer#*@}" ] || wrong "before: n1 commits at $early, not before $answer, unchanged"
[ "$late" -gt "${answer#*@}" ] || wrong "before: n1 commits at $late, not after $answer"
# ... until everything is over, that is: nothing is violated. What another process does waits as well
over=rm#1@3 # what the script does last is to remove its directory
expect 0 "$drd" whatif --before "$over" "$cause" --json base.drd
grep -q '"changes": *\["'"$over before $cause"'"\]' out || wrong "before: $(cat out)"
saved=$("$drd" log base.drd --no-pager --node n3 --to "$ack" | awk '/ fdatasync / { event = $1 } END { print event }')
expect 1 "$drd" whatif --before "$over" "$saved" base.drd
if grep -q 'could not be made' out; then wrong "what n3 does does not wait: $(cat out)"; fi
# ... and where it had happened before, there is no change
expect 125 "$drd" whatif --before n2@5 "$cause" base.drd
grep -q 'a change could not be made' out || wrong "before what was before: $(cat out)"
refuse 125 "drd: --before n1@5 n1@9: that is so already" "$drd" whatif --before n1@5 n1@9 base.drd
refuse 125 'drd: --before n1@99 n1@5: both are of one process*' "$drd" whatif --before n1@99 n1@5 base.drd
refuse 128 'drd: no node n9 *' "$drd" whatif --before n1@9 n9@1 base.drd
refuse 129 'drd whatif: --before wants two values*' "$drd" whatif base.drd --before n1@9

refuse 128 'drd: no node n9 *' "$drd" whatif --drop n9@1 base.drd
refuse 129 "drd: --fail *'EFOO' is no value*" "$drd" whatif --fail "$cause=EFOO" base.drd
refuse 129 'drd: --drop *' "$drd" whatif --drop "$cause=1" base.drd
refuse 129 'drd: --seeds *' "$drd" whatif --seeds -1 --drop "$cause" base.drd
leave
