#!/bin/sh
# n1 takes A, is deposed by n2, and appends A all the same, in the term of n2. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --lazy 1000
put_late 1 x A
lead 2
settle 3
part 1 2
part 1 3
await 1 last=4
put 2 x B
settle 4 2 3
join 1 2
settle 4 1
judge
