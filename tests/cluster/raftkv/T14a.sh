#!/bin/sh
# n3, restarted, lacks A, which n1 committed by its acknowledgement; with n2 it goes on without A. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 2 1
part 2 3
put 1 x A
settle 3 1 3
part
crash 3
restart 3
join 2 3
lead 2
put 2 x B
judge
