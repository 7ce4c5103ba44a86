#!/bin/sh
# n3 gets the AppendEntries with A twice and appends A twice; B goes where A is already. Status 1
. "$(dirname "$0")/moves.sh"
team 1
put 1 x A
settle 3
step 1 again-append 3
await 3 last=4
put 1 x B
settle 4
judge
