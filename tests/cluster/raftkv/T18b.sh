#!/bin/sh
# n3 compares its log with that of n2 before it acknowledges A to n1, and votes for n2 after that. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --lazy 1000
part 1 2
step 3 hold 1
step 3 hold 2
step 2 campaign
put_alone 1 x A 3
step 3 release 2
step 3 release 1
await 1 commit=3
step 1 beat
await 2 role=leader
put 2 x B
judge
