#!/bin/sh
# n3 votes for n2, whose log lacks A, committed by n1 and n3; A is replaced. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 2 1
part 2 3
put 1 x A
settle 3 1 3
part
join 2 3
lead 2
put 2 x B
judge 1 2
