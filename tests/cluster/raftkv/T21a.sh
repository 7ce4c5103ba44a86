#!/bin/sh
# n1, replaced by n2 without knowing it, answers a read. Status 1
. "$(dirname "$0")/moves.sh"
team 1
put 1 x A
settle 3
part 1 2
part 1 3
lead 2
put 2 x B
stale 1 x B
