#!/bin/sh
# n1 counts the vote of n2 twice and leads term 2 with two of five; n3 is elected by the others in the same term. Status 1
. "$(dirname "$0")/moves.sh"
cluster 5
part
join 1 2
step 1 campaign
await 2 term=2
step 2 again-voted 1
await 1 role=leader
join 3 4 5
step 3 campaign
await 3 role=leader term=2
put 3 x B
settle 3 3 4 5
part
join 1 2 5
put 1 x A
judge
