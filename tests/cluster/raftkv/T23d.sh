#!/bin/sh
# n3, restarted from a snapshot, has forgotten which commands the client had numbered. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
ask 1 INCR k c 1
settle 3
snapshot 3
crash 3
restart 3
linked 1 3
ask 1 INCR k c 1
settle 4
judge_state
