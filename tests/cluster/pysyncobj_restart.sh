#!/bin/sh
# workload/pysyncobj_restart.sh recorded: a real failure of a real library. Every process replays to its end; explain sees that
# what n1 and n2 committed was replaced, and that their terms went down.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record "$dir/restart.drd" sh "$cluster/workload/pysyncobj_restart.sh"
cat "$dir/restart.drd.said"
[ "$recorded" -ne 77 ] || exit 77
[ "$recorded" -eq 1 ] || fail "pysyncobj_restart, recorded, ended with status $recorded"
replay "$dir/restart.drd"
tail -n 3 "$dir/restart.drd.replayed"
explain "$dir/restart.drd" 1
cat "$dir/restart.drd.explained"
grep -q 'started again, is in term [0-9]*; it had been in term [0-9]* .*T15' "$dir/restart.drd.explained" ||
    fail "no node's term is seen to go down"
