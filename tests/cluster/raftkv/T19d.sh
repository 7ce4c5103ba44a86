#!/bin/sh
# n1, cut off, removes one server after another until it is a majority alone. Status 1
. "$(dirname "$0")/moves.sh"
cluster 4
lead 1
settle 2
part
change_alone 1 3 REMOVE 4
change_alone 1 4 REMOVE 3
change_alone 1 5 REMOVE 2
put 1 x A
join 2 3 4
lead 2
put 2 x B
judge 1 2
