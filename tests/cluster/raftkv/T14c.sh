#!/bin/sh
# a torn record makes n3 give up its whole log, with A, which n1 committed by its acknowledgement. Status 1
. "$(dirname "$0")/moves.sh"
team 1
part 2 1
part 2 3
put 1 x A
settle 3 1 3
step 3 crash torn
put_alone 1 x B 4
gone 3
part
restart 3
join 2 3
lead 2
put 2 x C
judge
