#!/bin/sh
# n3 does the last command of its snapshot again after a restart. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 8
puts 1 3
settle 5
snapshot 3
crash 3
restart 3
linked 1 3
put 1 x A
settle 6
judge_state
