#!/bin/sh
# n2 sends n3 again what it has acknowledged, because of a refusal that was overtaken. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
team 1
part 3 1
part 3 2
put 1 x A
settle 3 1 2
part
join 2 3
step 2 hold 3
join 1 2
step 2 campaign
await 2 role=leader
await 3 leader=2
step 3 reconnect 2
settle 4
step 2 release 3
acted 2
judge
