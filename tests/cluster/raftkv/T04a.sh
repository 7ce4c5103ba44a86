#!/bin/sh
# n3 votes for n1, whose log is longer and of an older term than its own; B, committed by n2 and n3, is replaced. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part
put_alone 1 x A1 3
put_alone 1 x A2 4
put_alone 1 x A3 5
join 2 3
lead 2
put 2 x B
settle 4 2 3
part
join 1 3
lead 1
await 1 commit=6
judge 1 2
