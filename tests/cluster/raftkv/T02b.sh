#!/bin/sh
# n1 and n2 both lead term 2, by pre-votes of n3 that they count as votes. Status 1
. "$(dirname "$0")/moves.sh"
cluster 3 --pre-vote
part 1 2
step 1 hold 3
step 2 hold 3
step 1 prevote
step 2 prevote
await 3 role=follower
step 1 release 3
step 2 release 3
await 1 role=leader term=2
await 2 role=leader term=2
put 2 x B
put 1 x A
judge
