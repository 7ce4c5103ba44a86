#!/bin/sh
# n3 installs a snapshot, but not its state. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
part 3 1
part 3 2
puts 1 12
settle 14 1 2
snapshot 1
join 3 1
settle 14 3
put 1 x A
settle 15 1 3
judge_state 1 3
