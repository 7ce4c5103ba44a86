#!/bin/sh
# n1 sends n3 the entries of its compacted log one too high. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
part 3 1
part 3 2
snapshot 1
put 1 x A
put 1 x B
join 3 1
settle 4
judge
