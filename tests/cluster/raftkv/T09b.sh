#!/bin/sh
# n1, alone, commits A; n2 and n3 go on without it. Status 1
. "$(dirname "$0")/moves.sh"
buggy=1
team 1
part 1 2
part 1 3
put 1 x A
tell 1 2
lead 2
put 2 x B
judge
