#!/bin/sh
# n3 keeps its lost tail behind the snapshot of another term. n1 overwrites it before it is used. Status 0
. "$(dirname "$0")/moves.sh"
team 3 --snapshot 0 --trailing 0
part
put_alone 3 x A 3
put_alone 3 x B 4
put_alone 3 x C 5
put_alone 3 x D 6
join 1 2
lead 1
put 1 x E
settle 4 1 2
snapshot 1
join 1 3
settle 4 3
put 1 x F
settle 5
judge_state
