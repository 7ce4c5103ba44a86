#!/bin/sh
# n1 votes for n2 in term 3 and goes on leading, now term 3. n2, elected by n3, leads it as well. Status 1
. "$(dirname "$0")/moves.sh"
team 1
step 2 hold 1
step 2 hold 3
step 2 campaign
await 1 term=3
await 3 term=3
part 1 2
step 2 release 3
await 2 role=leader
put 2 x B
put 1 x A
judge
