#!/bin/sh
# n1, elected again, takes A for committed, which nobody else has; n2 and n3 go on without it. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part
put_alone 1 x A 3
step 1 dry
join 1 3
lead 1
await 1 commit=3
part
join 2 3
lead 2
put 2 x B
settle 4 2 3
judge
