#!/bin/sh
# n2, elected, answers a read before it has heard that A is committed. Status 1
. "$(dirname "$0")/moves.sh"
team 1
beat 1 60000
put 1 x A
await 2 last=3
tell 1 3
part
step 2 dry
join 2 3
lead 2
stale 2 x A
