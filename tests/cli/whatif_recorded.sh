#!/bin/sh
# drd whatif and drd simulate --follow on a recorded run: its processes are re-driven up to an event and go on in the simulated
# world. What was recorded stays as it was, the same end is reached, and without the decisive message it is not.
#   whatif_recorded.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
scene=$here/../cluster/raftkv/T07a.sh
# a world that waits for ever must not take this machine's time with it
bounded=$build/drd
drd() { timeout -k 5 60 "$bounded" "$@"; }
drd=drd

# The scene's deadlines are for a machine that has time: where it has none, it is set up again.
export WITHIN=10000
recorded=2
for again in 1 2 3; do
    [ "$recorded" -ne 2 ] || { recorded=0; drd record -o base.drd -- sh "$scene" "$build" >out 2>err </dev/null || recorded=$?; }
done
[ "$recorded" -eq 1 ] || wrong "the scene, recorded: status $recorded after $again tries"
expect 1 "$drd" explain --json base.drd
cause=$(python3 -c 'import json; print(json.load(open("out"))["cause"]["event"])')
fingerprint=$(python3 -c 'import json; print(json.load(open("out"))["fingerprint"]["value"])')

# followed to its end nothing is left to go on with: every stream is there, byte for byte
expect 1 "$drd" simulate --follow base.drd -o whole.drd
expect 0 timeout -k 5 60 "$build/tests/tools/same" --nodes base.drd whole.drd

# from any event on, the run so far is as it was, what follows is new, all of it replays, and the end is the same
events_to() { "$drd" log --all --no-pager --node "$2" --to "$3" "$1" | awk '{ $2 = ""; print }'; }
for from in n1@300 n3@200 "$cause"; do
    expect 1 "$drd" simulate --seed 5 --follow base.drd --from "$from" -o "part.drd"
    events_to base.drd "${from%@*}" "${from%@*}@$((${from#*@} - 1))" >was
    events_to part.drd "${from%@*}" "${from%@*}@$((${from#*@} - 1))" >is
    cmp was is || wrong "$from: what came before it is not as it was"
    [ -s was ] || wrong "$from: nothing came before it"
    expect 0 "$drd" replay part.drd
    expect 1 "$drd" explain --json part.drd
    grep -q "$fingerprint" out || wrong "$from: another end than $fingerprint"
    rm part.drd
done
# the same seed is the same run
for run in one two; do
    expect 1 "$drd" simulate --seed 5 --follow base.drd --from n1@300 -o "$run.drd"
done
expect 0 timeout -k 5 60 "$build/tests/tools/same" --nodes one.drd two.drd

# what n1 did at the cause was to read n3's acknowledgement: n3's last send before then. Without it nothing is violated.
ack=$("$drd" log base.drd --no-pager --to "$cause" | awk '/^n3@.* write .* 64 bytes/ { event = $1 } END { print event }')
expect 0 "$drd" whatif --json --drop "$ack" --seeds 2 -o . base.drd
cp out dropped.json
python3 - "$here/../../docs/whatif.schema.json" "$ack" <<'END' || wrong "drop: $(cat dropped.json)"
import json, sys
answer = json.load(open("dropped.json"))
try:
    import jsonschema
    jsonschema.validate(answer, json.load(open(sys.argv[1])))
except ImportError:
    print("no python3-jsonschema: the schema was not checked")
assert answer["recorded"] and answer["first_event"] == sys.argv[2], answer
assert answer["unchanged"]["violated"] == 2 and answer["unchanged"]["same_fingerprint"] == 2, answer
assert answer["changed"]["violated"] == 0 and answer["changed"]["not_changed"] == 0, answer
END
expect 0 "$drd" replay changed-1.drd
expect 1 "$drd" diff same-1.drd changed-1.drd
grep -q 'commits index 3' out || wrong "diff does not tell what the message led to: $(cat out)"
expect 1 "$drd" whatif --from n2@100 base.drd
grep -q '^NEW FROM   n2@100, ' out || wrong "from: $(cat out)"
rm -f same-?.drd changed-?.drd one.drd two.drd whole.drd

# what cannot be done is said, and no run is left
refuse 128 'drd: no node n9 *' "$drd" simulate --follow base.drd --from n9@1 -o new.drd
refuse 128 'drd: *' "$drd" simulate --follow base.drd --from n1@99999999 -o new.drd
refuse 129 'drd: no command to run*' "$drd" simulate -o new.drd
refuse 129 'drd: --follow goes on*' "$drd" simulate --follow base.drd -o new.drd -- true
refuse 129 'drd: --from needs --follow*' "$drd" simulate --from n1@1 -o new.drd -- true
refuse 129 'drd: from which event on?*' "$drd" whatif --seeds 2 base.drd
forked=$("$drd" log base.drd --all --no-pager --kind vfork-end | awk '{ print $1; exit }')
refuse 125 'drd: cannot go on from this recording: *between a vfork and its exec' "$drd" simulate --follow base.drd --from "$forked" -o new.drd
drd record --only raftkv -o only.drd -- sh "$scene" "$build" >out 2>err </dev/null || true # however it ended
refuse 125 'drd: cannot go on from this recording: *was not recorded*' "$drd" whatif --from n1@100 only.drd
expect 0 "$drd" pack --redact -o redacted.drd base.drd
refuse 125 'drd: *redacted*' "$drd" whatif --from n1@100 redacted.drd
leave
