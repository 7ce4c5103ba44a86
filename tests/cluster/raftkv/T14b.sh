#!/bin/sh
# n5 truncates three entries for a no-op, which is committed by that; restarted, it has two of them back, of the old term, and
# votes for n4, which lacks the no-op. Status 1
. "$(dirname "$0")/moves.sh"
cluster 5
lead 5
settle 2
part
join 4 5
put_alone 5 x A 3
put_alone 5 x B 4
put_alone 5 x C 5
await 4 last=5
part
join 1 2 3
step 1 dry
lead 1
part
step 1 wet
join 1 2 5
settle 3 1 2 5
put 1 x D
settle 4 1 2 5
part
crash 5
restart 5
join 3 4 5
lead 4
settle 6 3 4 5
judge
