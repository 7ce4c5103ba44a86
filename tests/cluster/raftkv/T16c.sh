#!/bin/sh
# n3 installs a snapshot without its members: it is elected by n2, two of the three it knows, while n4 is elected by three of
# five in the same term. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
part 3 1
part 3 2
newcomer 4
add 1 4
part 4 3
newcomer 5
add 1 5
part 5 3
await 2 members=12345
snapshot 1
join 3 1
settle 6 3
part
join 2 3
join 1 4 5
step 3 campaign
await 3 role=leader
put 3 x A
step 4 campaign
await 4 role=leader
put 4 x B
judge_state 3 4
