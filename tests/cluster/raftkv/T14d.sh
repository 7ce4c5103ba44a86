#!/bin/sh
# n3 compacts its log, and A, acknowledged and not known to be committed, is not in the new file. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
beat 1 60000
part 2 1
part 2 3
put 1 x A
snapshot 3
tell 1 2
part
crash 3
restart 3
join 2 3
lead 2
put 2 x B
judge
