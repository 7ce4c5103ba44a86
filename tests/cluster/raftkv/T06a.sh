#!/bin/sh
# n1 goes on leading term 2 although n3 told it of term 3. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
team 1
part 3 1
part 3 2
step 3 campaign
join 1 3
acted 1
put 1 x A
settle 3 1 2
judge
