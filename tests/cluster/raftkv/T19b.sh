#!/bin/sh
# n1 commits the promotion of n4 to a voter with two of the three voters before, which are two of four now. No harm is done.
# Status 0
. "$(dirname "$0")/moves.sh"
team 1
newcomer 4
step 4 crash acked
part 3 1
part 3 2
change_alone 1 4 ADD 4 127.0.0.1:$((PORT + 4))
gone 4
await 1 commit=4
judge 1 2
