#!/bin/sh
# n1 lowers the match index of n3 by an acknowledgement that was overtaken. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
team 1
step 1 hold 3
put 1 x A
await 3 last=3
part 1 2
step 3 reconnect 1
linked 1 3
put 1 x B
step 1 release 3
acted 1
judge
