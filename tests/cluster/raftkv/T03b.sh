#!/bin/sh
# n3, whose lost tail was cut down to one entry, campaigns with the old length, and n2, which has B, votes for it. Status 1
. "$(dirname "$0")/moves.sh"
team 3
part
put_alone 3 x A1 3
put_alone 3 x A2 4
put_alone 3 x A3 5
join 1 2
lead 1
settle 3 1 2
join 1 3
settle 3
part 3 1
put 1 x B
settle 4 1 2
part
join 2 3
lead 3
put 3 x C
judge
