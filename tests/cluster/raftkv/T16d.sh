#!/bin/sh
# n3 installs an old snapshot again: A, which n1 committed by its acknowledgement, is gone, and n2 goes on without it. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
part 3 1
part 3 2
puts 1 3
settle 5 1 2
snapshot 1
join 3 1
settle 5 3
part 2 1
part 2 3
put 1 x A
settle 6 1 3
snapshot 3
step 1 hold 3
step 1 again-snapshot 3
await 3 applied=5
part
join 2 3
lead 2
put 2 x B
judge 1 2
