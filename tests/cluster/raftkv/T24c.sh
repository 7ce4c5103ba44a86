#!/bin/sh
# every node puts its own environment into the value. Status 1
. "$(dirname "$0")/moves.sh"
sites=yes
team 1
put 1 x A
settle 3
judge_state
