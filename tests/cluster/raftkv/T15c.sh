#!/bin/sh
# n3 adopts term 3 with its vote of term 2; restarted, it believes that it has voted. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
buggy=3
team 1
part 3 1
part 3 2
lead 2
settle 3 1 2
join 3 1
join 3 2
settle 3
crash 3
restart 3
put 2 x A
settle 4
judge
