#!/bin/sh
# n1 takes A back and puts B in its place; the others have A there. Status 1
. "$(dirname "$0")/moves.sh"
team 1
patience 1 2000
step 2 hold 1
step 3 hold 1
put_alone 1 x A 3
await 1 last=2
put_alone 1 x B 3
step 2 release 1
step 3 release 1
settle 3
judge
