#!/bin/sh
# n3 acknowledges the end of its lost tail to n1, which commits D by that; n3 goes on with n2 and without D. Status 1
. "$(dirname "$0")/moves.sh"
team 3
part
put_alone 3 x A 3
put_alone 3 x B 4
put_alone 3 x C 5
step 1 dry
join 1 2
lead 1
part
step 1 wet
put_alone 1 x D 4
join 1 3
await 1 commit=4
part
join 2 3
lead 3
put 3 x E
judge
