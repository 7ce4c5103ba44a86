#!/bin/sh
# A run whose recorder was killed: what the commands say of it, and how it is finished.
#   unfinished.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"

"$drd" record -o run.drd -- sh -c 'echo $$ >node; echo said
    while [ ! -e go ]; do sleep 0.05; done; echo later; : >gone; exec sleep 60' >out 2>err &
recorder=$!
wait_for being_recorded run.drd
wait_for test -s node
refuse_while() { # as refuse, but the spool of the recorder is there
    expect 128 "$@"
    grep -q "^drd: .*being recorded" err || wrong "$*: not refused"
    [ "$(wc -l <err)" -eq 1 ] || wrong "$*: not one line"
}
refuse_while "$drd" fsck --repair run.drd
refuse_while "$drd" record -o run.drd -- true
{ kill -9 $recorder && wait $recorder; } 2>/dev/null || true

expect 2 "$drd" fsck run.drd
[ "$(cat out)" = "run.drd: unfinished: its recorder was killed; drd fsck --repair run.drd finishes it" ] || wrong "an unfinished run"
expect 2 "$drd" fsck --json run.drd
grep -q '"findings":\[\],"verdict":"unfinished"' out || wrong "an unfinished run in JSON"
expect 128 "$drd" record -o run.drd -- true
grep -q "unfinished recording; .drd fsck --repair .*run.drd. finishes it" err || wrong "recorded over an unfinished run"

# the node goes on, and so does its stream
: >go
wait_for test -e gone
kill "$(cat node)"
expect 0 "$drd" fsck --repair run.drd
[ "$(cat out)" = "run.drd: sound" ] || wrong "a repaired run"
expect 0 "$drd" fsck run.drd
expect 0 "$drd" log run.drd --grep 'said'
expect 0 "$drd" log run.drd --grep 'later'
expect 0 "$drd" replay run.drd
leave
