#!/bin/sh
# n3 acknowledges A, which n1 commits by that, and is killed before it is written; with n2 it goes on without A. Status 1
. "$(dirname "$0")/moves.sh"
buggy=3
team 1 --lazy 60000
part 2 1
part 2 3
put 1 x A
settle 3 1 3
crash 3
part
restart 3
join 2 3
lead 2
put 2 x B
judge
