#!/bin/sh
# n3 acknowledges a snapshot, then A, is killed before the snapshot is written, and comes back without what was in it. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0 --lazy 60000
step 3 hold 1 # not cut off: it can answer at once
puts 1 12
settle 14 1 2
snapshot 1
step 1 reconnect 3
settle 14 3
put 1 x A
settle 15 1 3
crash 3
restart 3
linked 1 3
put 1 x B
settle 16 1 3
judge_state 1 3
