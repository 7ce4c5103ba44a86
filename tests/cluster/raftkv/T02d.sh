#!/bin/sh
# n1 counts the vote of n4, a learner, and leads term 3; n2 is elected by n3 in the same term. Status 1
. "$(dirname "$0")/moves.sh"
team 1
learner 4
part
join 2 3
step 2 campaign
await 2 role=leader
put 2 x B
part
join 1 4
step 1 campaign
await 1 role=leader
part
join 1 3
put 1 x A
judge 1 2 3
