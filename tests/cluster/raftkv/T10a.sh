#!/bin/sh
# an AppendEntries of n1 that was overtaken makes n3 truncate B, which n1 committed by its acknowledgement. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 2 1
part 2 3
step 3 hold 1
put_alone 1 x A 3
step 1 reconnect 3
settle 3 1 3
put 1 x B
settle 4 1 3
pause 1
step 3 release 1
await 3 last=3
crash 3
part
resume 1
restart 3
join 2 3
lead 3
put 3 x C
settle 5 2 3
judge
