#!/bin/sh
# n3 looks at its vote for n2 before the one for n1 is stored: both lead term 2. Status 1
. "$(dirname "$0")/moves.sh"
cluster 3
part 1 2
step 3 hold 1
step 3 hold 2
step 1 campaign
step 2 campaign
step 3 release 0
await 1 role=leader
await 2 role=leader
put 1 x A
put 2 x B
judge
