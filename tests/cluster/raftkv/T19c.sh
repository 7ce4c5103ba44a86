#!/bin/sh
# n1 and n2 each keep a change of the members that was lost: n1 is elected by n4, n2 by n3, each for two of three. Status 1
. "$(dirname "$0")/moves.sh"
cluster 4 --snapshot 0 --trailing 0
lead 1
settle 2
part
change_alone 1 3 REMOVE 3
case $BUG in T19e) snapshot 1 ;; esac
join 2 3 4
lead 2
settle 3 2 3 4
join 1 2
settle 3 1
part
change_alone 2 4 REMOVE 1
case $BUG in T19e) snapshot 2 ;; esac
join 1 3 4
lead 3
settle 4 1 3 4
join 2 3
settle 4 2
part
join 1 4
lead 1
put 1 x A
join 2 3
lead 2
put 2 x B
judge 1 2
