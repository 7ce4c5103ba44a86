#!/bin/sh
# n1 counts a vote for its campaign of term 2 in term 3, in which n3 votes for n2; both lead term 3. Status 1
. "$(dirname "$0")/moves.sh"
cluster 3
part 1 2
step 1 hold 3
step 1 campaign
await 3 term=2
step 3 hold 1
step 1 campaign
step 2 campaign
step 2 campaign
await 2 role=leader term=3
put 2 x B
step 1 release 3
await 1 role=leader term=3
step 3 release 1
put 1 x A
judge
