#!/bin/sh
# workload/raftkv.sh recorded: every process replays to its end, and explain finds no violation. The table of mistakes has
# every class, and a mistake that is not in it is refused.
set -eu
. "$(dirname "$0")/lib.sh"
begin

table=$cluster/../nodes/raftkv/bugs.def
for class in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
    grep -q "^BUG(T$class[a-z], T$class, " "$table" || fail "no mistake of class T$class"
done
status=0
RAFTKV_BUG=T99z "$nodes/raftkv" --id 1 --dir "$dir/refused" --members 127.0.0.1:$((PORT + 1)) --client-port $((PORT + 5)) \
    >/dev/null 2>"$dir/said" || status=$?
[ "$status" -eq 129 ] && grep -q T99z "$dir/said" || fail "an unknown mistake: status $status"

record_and_judge raftkv 0
