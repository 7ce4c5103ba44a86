#!/bin/sh
# n3 votes for n1, begins a pre-vote, and then votes for n2 in the same term; both lead it. Status 1
. "$(dirname "$0")/moves.sh"
cluster 3 --pre-vote
part 1 2
step 3 hold 2
step 2 campaign
step 1 hold 3
step 1 campaign
await 3 term=2
# what it asks goes unread
step 3 hold 1
step 2 hold 3
step 3 prevote
step 3 reconnect 2
await 3 link2=1
step 3 release 2
await 2 role=leader
put 2 x B
step 1 release 3
await 1 role=leader
step 3 release 1
put 1 x A
judge
