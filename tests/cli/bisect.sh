#!/bin/sh
# drd bisect on runs of traces/: the event after which a check fails, states that cannot be judged, what is refused.
#   bisect.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.sh"
cp "$root/traces/T07.drd" "$root/traces/T01.drd" .

# Figure 8: index 2 is committed first by the event of which explain speaks
expect 0 "$drd" bisect T07.drd -- jq -e 'all(.nodes[]; .commit < 2)'
grep -q '^last good   s0@5598 ' out || wrong "the last good event"
grep -q '^first bad   s0@5599 ' out || wrong "the first bad event"
[ "$(wc -l <out)" -eq 3 ] || wrong "not three lines on stdout"

# Two leaders of a term; the check says where it is
cat >leaders.sh <<'E2'
[ "$(jq -r '.event // ""')" = "$DRD_EVENT" ] || exit 200
[ -r "$DRD_RUN" ] || exit 200
E2
expect 5 "$drd" bisect T01.drd -- sh leaders.sh
expect 0 "$drd" bisect --json T01.drd -- \
    jq -e '[.nodes[] | select(.role == "leader") | .term] | length == (unique | length)'
jq -e '.schema == "drd.bisect/1" and .exact and .first_bad.event == "n1@252" and .last_good.event == "n1@251" and .skipped == 0' \
    out >said || wrong "two leaders of a term"
expect 0 "$drd" bisect T01.drd -- jq -e '.violations == []'
grep '^first bad' out >one

# By a walk through all events the same is found: no state before is bad
"$drd" bisect T01.drd -- sh -c 'jq -e ".violations == []" >/dev/null && echo "good $DRD_EVENT" >>asked || { echo "bad $DRD_EVENT" >>asked; exit 1; }' \
    >out 2>err || wrong "a check that writes"
cmp -s one - <<E2 || wrong "another event"
$(grep '^first bad' out)
E2
grep -q '^bad' asked && grep -q '^good' asked || wrong "the check was asked on one side only"

# States that cannot be judged
expect 2 "$drd" bisect T01.drd -- sh -c '[ "$DRD_EVENT" ] || exit 0; jq -e ".violations == []" >/dev/null && exit 125; exit 1'
grep -q '^last good   (the beginning)' out || wrong "nothing but the beginning is good"
grep -q 'could not be judged$' out || wrong "what could not be judged is not said"
# around the event: the nearest neighbours that can be judged
expect 2 "$drd" bisect --json T01.drd -- sh -c 'case $DRD_EVENT in n1@25[0-2]) exit 125 ;; esac
    jq -e "[.nodes[] | select(.role == \"leader\") | .term] | length == (unique | length)"'
jq -e '(.exact | not) and .skipped == 2' out >said || wrong "skipped events"

refuse 5 "drd: the check does not fail at the end of the run" "$drd" bisect T01.drd -- true
refuse 5 "drd: the check does not fail at the end of the run: it skips" "$drd" bisect T01.drd -- sh -c 'exit 125'
refuse 5 "drd: the check fails before the first event" "$drd" bisect T01.drd -- false
refuse 125 "drd: sh ended with 200: the search ends*" "$drd" bisect T01.drd -- sh -c 'exit 200'
refuse 125 "drd: sh was killed by signal 9: the search ends" "$drd" bisect T01.drd -- sh -c 'kill -9 $$'
refuse 125 "drd: cannot start ./nowhere: No such file or directory" "$drd" bisect T01.drd -- ./nowhere
refuse 129 "drd: no check given*" "$drd" bisect T01.drd
refuse 129 "drd: no check given*" "$drd" bisect T01.drd --
refuse 129 "drd*" "$drd" bisect
refuse 128 "drd: *nowhere.drd*" "$drd" bisect ./nowhere.drd -- true
head -c 100000 /dev/urandom >noise.drd
refuse 128 "drd: *not a DRD run*" "$drd" bisect noise.drd -- true
"$drd" record -o calm.drd -- /bin/echo hello >said 2>&1 || wrong "cannot record"
refuse 5 "drd: no Raft in this run*" "$drd" bisect calm.drd -- false
leave
