#!/bin/sh
# n1, replaced by n2 without knowing it, takes old answers of n3 for a confirmation and answers a read. Status 1
. "$(dirname "$0")/moves.sh"
team 1
put 1 x A
settle 3
part 1 2
step 1 hold 3
step 1 beat
await 3 role=follower
step 3 hold 1
lead 2
put 2 x B
stale_later 1 x B 3
