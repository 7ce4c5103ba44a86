#!/bin/sh
# n3 votes for n2 in term 3, installs its snapshot of term 2, is restarted in term 2, and votes for n1. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
part 3 1
part 3 2
puts 1 12
settle 14 1 2
snapshot 2
part
join 2 3
step 2 dry
lead 2
await 3 applied=14
part
crash 3
restart 3
join 1 3
step 1 campaign
await 1 role=leader
put 1 x A
part
step 2 wet
join 2 3
put 2 x B
judge_state 1 2
