#!/bin/sh
# every node stores its own time of day with the value. Status 1
. "$(dirname "$0")/moves.sh"
team 1
put 1 x A
settle 3
judge_state
