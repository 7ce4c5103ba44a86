#!/bin/sh
# n3 votes for n1 and for n2 in term 2, and both lead it. Status 1
. "$(dirname "$0")/moves.sh"
cluster 3
part 1 2
step 1 hold 3
step 1 campaign
await 3 term=2
step 2 campaign
await 2 role=leader
put 2 x B
step 1 release 3
await 1 role=leader
put 1 x A
judge
