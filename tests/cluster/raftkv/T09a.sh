#!/bin/sh
# n1 commits with two of four. Elections take three: nobody can do without A. Status 0
. "$(dirname "$0")/moves.sh"
cluster 4
lead 1
settle 2
part
join 1 2
put 1 x A
settle 3 1 2
judge
