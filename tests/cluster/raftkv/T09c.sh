#!/bin/sh
# n1 commits A by the copy of n4, a learner; n2 and n3 go on without it. Status 1
. "$(dirname "$0")/moves.sh"
team 1
learner 4
settle 3
part
join 1 4
put 1 x A
settle 4 1 4
join 2 3
lead 2
put 2 x B
judge 1 2 3
