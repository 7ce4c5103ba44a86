#!/bin/sh
# n1 and n2, leaders of terms 2 and 3, both change the members of a cluster of four before they have committed anything: n1
# and n3 are a majority without n2, n2 and n4 one without n1. Status 1
. "$(dirname "$0")/moves.sh"
cluster 4
lead 4
settle 2
step 1 dry
lead 1
part
step 1 wet
change_alone 1 4 REMOVE 2
join 2 3 4
step 2 dry
lead 2
part
step 2 wet
change_alone 2 4 REMOVE 1
join 2 4
put 2 x B
join 1 3
lead 1
put 1 x A
judge 1 2
