#!/bin/sh
# every node puts what a file of its own says into the value. Status 1
. "$(dirname "$0")/moves.sh"
team 1
for i in $numbers; do echo "site$i" >"$dir/n$i/site"; done
put 1 x @site
settle 3
judge_state
