#!/bin/sh
# n1 commits A, of an earlier term, when n3 has acknowledged it, and n2, elected by n3, replaces it (Figure 8). Status 1
. "$(dirname "$0")/moves.sh"
buggy=1
team 1 --batch 1
part
put_alone 1 x A 3

# n2 is elected by n3, which does not hear of its entries
join 2 3
step 2 dry
lead 2
put_alone 2 x B 4
part

# n1 is elected by n3, which acknowledges A, and no more
join 1 3
step 3 crash acked
lead 1
await 1 commit=3
gone 3
part

# what n1 sends from now on says that A is committed
tell 1 2
part
restart 3

step 2 wet
join 2 3
lead 2
put 2 x C
settle 6 2 3
judge
