#!/bin/sh
# n3, which has compacted A away, gets it again and appends it where B belongs. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
put 1 x A
settle 3
snapshot 3
step 1 again-append 3
await 3 last=4
put 1 x B
settle 4
judge
