#!/bin/sh
# n3's commit index goes back when n2, elected, has not heard of the last commit; elected itself, it says so. Status 0
. "$(dirname "$0")/moves.sh"
buggy=3
team 1
beat 1 60000
put 1 x A
await 2 last=3
await 3 last=3
part 1 2
step 1 beat
await 3 commit=3
part
join 2 3
step 2 dry
lead 2
await 3 commit=2
part
join 1 3
lead 3
settle 4 1 3
judge
