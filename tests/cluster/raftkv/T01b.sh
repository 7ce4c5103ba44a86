#!/bin/sh
# n1 and n2, candidates of term 2, vote for each other as well as for themselves, and both lead it. Status 1
. "$(dirname "$0")/moves.sh"
cluster 3
part 1 3
part 2 3
step 1 hold 2
step 2 hold 1
step 1 campaign
step 2 campaign
step 1 release 2
step 1 hold 2
step 2 release 1
await 2 role=leader
step 1 release 2
await 1 role=leader
part
join 1 3
put 1 x A
part
join 2 3
put 2 x B
judge
