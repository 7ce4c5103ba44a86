#!/bin/sh
# n1 is elected with A in its log, which is not on its disk; n1 and n3 commit A; n1, killed, is back without it. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --lazy 60000
part
put_alone 1 x A 3
join 1 3
lead 1
settle 4 1 3
crash 1
part
restart 1
join 1 2
lead 2
settle 3 1 2
join 2 3
put 2 x B
judge
