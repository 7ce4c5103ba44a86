#!/bin/sh
# n1 sends n3 what it once had at index 3 and has truncated since. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 1 2
step 3 hold 1
put_alone 1 x A 3
part
join 2 3
step 2 dry
lead 2
part
step 2 wet
join 1 2
put 2 x B
settle 4 1 2
part
join 1 3
lead 1
settle 5 1 3
judge
