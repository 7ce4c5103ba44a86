#!/bin/sh
# n3, which acknowledged A but has not heard that it is committed, votes for n2, which lacks it; A is replaced. Status 1
. "$(dirname "$0")/moves.sh"
team 1
beat 1 60000
part 2 1
part 2 3
put 1 x A
tell 1 2
part
join 2 3
lead 2
put 2 x B
judge
