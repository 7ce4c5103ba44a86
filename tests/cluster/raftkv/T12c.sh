#!/bin/sh
# n1 takes n3's acknowledgement of A for one of B and commits B; n3 goes on with n2 and without B. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 2 1
part 2 3
step 1 hold 3
put_alone 1 x A 3
await 3 last=3
step 3 hold 1
put_alone 1 x B 4
step 1 release 3
await 1 commit=4
step 1 beat
tell 1 2
part
join 2 3
lead 3
put 3 x C
judge
