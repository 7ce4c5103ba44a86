#!/bin/sh
# n3 is killed between rewriting its log and writing the snapshot, and comes back without the state. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
puts 1 3
settle 5
step 3 crash compacting
ask 3 SNAPSHOT || true
gone 3
restart 3
linked 1 3
put 1 x A
settle 6
judge_state
