#!/bin/sh
# n1 counts what n3 acknowledged to it in term 2, and has truncated since, in term 4: it commits X with two of five. Status 1
. "$(dirname "$0")/moves.sh"
cluster 5
lead 1
settle 2
part 1 2 4 5
part 3 2 4 5
step 1 hold 3
put_alone 1 x A 3
put_alone 1 x B 4
put_alone 1 x C 5
await 3 last=5
join 2 4 5
lead 2
join 1 2
join 3 2
settle 3
part 2 1
part 2 3
part 2 4
part 2 5
step 3 hold 1
join 1 4 5
step 1 dry
lead 1
part 1 4
step 1 wet
put_alone 1 x X 5
await 5 last=5
step 1 release 3
settle 5 1 5
part
join 2 3 4
lead 2
put 2 x Y
judge 1 2
