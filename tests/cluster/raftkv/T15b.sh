#!/bin/sh
# n3 votes for n2 in term 3, is restarted in term 2, votes for n1 in term 3; both lead it. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part
join 2 3
step 2 hold 3
step 2 campaign
await 3 vote=2
crash 3
restart 3
join 1 3
step 1 campaign
await 1 role=leader term=3
put 1 x A
step 2 release 3
await 2 role=leader term=3
put 2 x B
judge
