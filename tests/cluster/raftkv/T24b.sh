#!/bin/sh
# every node begins to count at its own random number. Status 1
. "$(dirname "$0")/moves.sh"
team 1
ask 1 INCR k c 1
settle 3
judge_state
