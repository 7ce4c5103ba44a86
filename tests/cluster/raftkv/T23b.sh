#!/bin/sh
# n3 skips the first entry after the snapshot that it installed. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
part 3 1
part 3 2
puts 1 3
settle 5 1 2
snapshot 1
join 3 1
settle 5 3
put 1 x A
put 1 x B
settle 7
judge_state
