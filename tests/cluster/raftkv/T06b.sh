#!/bin/sh
# n2, a candidate of term 2, refuses the entries of n1, who leads it. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
cluster 3
part 2 1
part 2 3
step 2 campaign
step 1 campaign
await 1 role=leader term=2
join 1 2
put 1 x A
acted 2
judge
