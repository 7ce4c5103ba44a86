#!/bin/sh
# drd explain --prove: the change that takes a violation away, its counts, the curve; the run keeps them and all who tell of the
# cause tell them; how it refuses.
#   prove.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
traces=$here/../../traces scenes=$here/../cluster/raftkv docs=$here/../../docs

refuse 125 'drd: *T07.drd: gone on from s0@5598, it cannot go on from this recording: *' "$drd" explain --prove --no-source "$traces/T07.drd"
refuse 128 'drd: no such run: nowhere.drd*' "$drd" explain --prove nowhere.drd
refuse 129 'drd: --times goes with --prove*' "$drd" explain --times 3 "$traces/T07.drd"
refuse 129 'drd: --prove does not go with --bisect*' "$drd" explain --prove --bisect "$traces/T07.drd"
refuse 129 'drd: --times wants *' "$drd" explain --prove --times 101 "$traces/T07.drd"
refuse 129 'drd: --jobs wants *' "$drd" explain --prove -j -1 "$traces/T07.drd"
expect 0 "$drd" simulate -o well.drd -- true
refuse 5 'drd: *well.drd: nothing*' "$drd" explain --prove --no-source well.drd

# Two votes in one term: without the second request there is no second vote.
expect 1 "$drd" simulate --seed 1 -o votes.drd -- sh "$scenes/T01a.sh" "$build"
expect 1 "$drd" explain --no-source --no-pager votes.drd
! grep -q '^PROOF' out || wrong "a proof before anybody tried"
expect 1 "$drd" explain --prove --times 2 --no-source --json votes.drd
cp out proved.json
python3 - "$docs/explain.schema.json" <<'END_OF_CHECK' || wrong "not what was wanted: $(cat proved.json)"
import json, sys
answer = json.load(open("proved.json"))
try:
    import jsonschema
    jsonschema.validate(answer, json.load(open(sys.argv[1])))
except ImportError:
    print("no python3-jsonschema: the schema was not checked")
proof = answer["proof"]
assert answer["cause"]["class"] == "T01" and answer["cause"]["certainty"] == "proved"
assert proof["state"] == "proved" and proof["times"] == 2 and not proof["stopped"], proof
assert proof["cause"] == answer["cause"]["event"]
trial = proof["tried"][proof["proving"]]
assert "RequestVote" in trial["text"], trial
assert trial["changed"]["runs"] == trial["changed"]["gone"] == 2 and trial["changed"]["rule_broken"] == 0, trial
assert trial["unchanged"]["runs"] == trial["unchanged"]["violated"] == 2, trial
decided = proof["decided"]
assert decided[0]["step"] == 0 and decided[-1]["step"] == len(answer["chain"]) and 5 <= len(decided) <= 8, decided
assert decided[-1]["continuations"] == {"runs": 4, "violated": 4, "gone": 0, "other": 0, "not_judged": 0, "rule_broken": 4, "passed": 0}
open("option", "w").write(trial["option"] + "\n")
END_OF_CHECK

# It is kept: nobody runs anything to tell it, not even where the file cannot be written.
chmod 444 votes.drd
expect 1 "$drd" explain --no-source --no-pager votes.drd
grep -q '^CAUSE *proved: n3 voted for n2 ' out || wrong "CAUSE: $(grep ^CAUSE out)"
grep -q '^PROOF *the RequestVote of n2 to n3 .*: gone in 2 of 2 runs; without that change it is there in 2 of 2$' out || wrong "PROOF: $(grep ^PROOF out)"
grep -q '^ *another seed ##########  4 of 4$' out || wrong "no curve: $(grep -A9 ^DECIDED out)"
expect 1 "$drd" explain --no-source --json votes.drd
cmp -s out proved.json || wrong "what is kept is not what was said"
expect 0 "$drd" report --no-source -o page.html votes.drd
grep -q '<p class="proof"><strong>Proved.</strong> the RequestVote of n2 to n3' page.html || wrong "no proof in the report"
grep -q '<code>drd whatif --drop n2@[0-9]*</code>' page.html || wrong "no command in the report"
[ "$(grep -c '<svg class="share"' page.html)" -ge 5 ] || wrong "no curve in the report"
expect 1 "$drd" triage --no-cache --no-source votes.drd
grep -q '^ *PROOF *proved: the RequestVote of n2 to n3' out || wrong "no proof in the triage"

# drd whatif makes the same runs.
read -r option <option
# shellcheck disable=SC2086
expect 0 "$drd" whatif votes.drd $option --seeds 2
grep -q '^UNCHANGED  2 of 2 violated, 2 with the same' out || wrong "whatif: unchanged"
grep -q '^CHANGED    0 of 2 violated' out || wrong "whatif: changed"

# A rule that was broken without harm can be proved too. The command that the run came from may be gone.
expect 0 "$drd" simulate --seed 1 -o rule.drd -- sh "$scenes/T06c.sh" "$build"
expect 0 "$drd" explain --prove --times 1 --no-source --no-pager rule.drd
grep -q '^RULE *proved: ' out || wrong "a rule: $(grep '^RULE' out)"
printf 'exec sh "%s/T01a.sh" "$@"\n' "$scenes" >moved.sh
expect 1 "$drd" simulate --seed 1 -o moved.drd -- sh moved.sh "$build"
rm moved.sh
refuse 125 'drd: *moved.drd: run again, it does not fail as it did*' "$drd" explain --prove --times 1 --no-source moved.drd
leave
