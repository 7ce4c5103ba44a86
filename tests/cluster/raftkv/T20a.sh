#!/bin/sh
# n3, elected, deletes A, which n1 had committed by its acknowledgement. Status 1
. "$(dirname "$0")/moves.sh"
team 1
beat 1 60000
part 2 1
part 2 3
put 1 x A
tell 1 2
part
join 2 3
lead 3
put 3 x B
judge
