#!/bin/sh
# n3, whose disk is full, acknowledges A all the same, which n1 commits by that; restarted, it lacks it. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 2 1
part 2 3
step 3 full
put 1 x A
settle 3 1 3
crash 3
part
restart 3
join 2 3
lead 2
put 2 x B
judge
