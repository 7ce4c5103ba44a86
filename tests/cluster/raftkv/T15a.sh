#!/bin/sh
# n5 hears of term 3 from its leader and acknowledges X, is killed, comes back in term 2 and follows the old leader, which
# replaces X; with n3 and n5 that one is elected again. Status 1
. "$(dirname "$0")/moves.sh"
cluster 5
lead 1
settle 2
part
join 2 3 4
join 2 5

# n5 does not read that n2 asks for its vote
step 5 hold 2
step 2 dry
lead 2
part 2 3
part 3 4
step 2 wet
step 2 reconnect 5
put 2 x X
settle 4 2 4 5
part
crash 5
restart 5
join 1 5
put_alone 1 x A 3
await 5 last=3
part
join 1 3 5
lead 1
put 1 x B
judge
