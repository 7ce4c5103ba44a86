#!/bin/sh
# n3 commits its lost tail, because the empty AppendEntries of n1 before it says how far others have committed. Status 1
. "$(dirname "$0")/moves.sh"
team 3
part
put_alone 3 x A 3
put_alone 3 x B 4
put_alone 3 x C 5
join 1 2
lead 1
put 1 x D
put 1 x E
settle 5 1 2
join 1 3
await 3 applied+5
judge
