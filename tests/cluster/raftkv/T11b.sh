#!/bin/sh
# n3 needs entries that n1 has compacted away, and gets later ones in their place. Status 1
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 4
part 3 1
part 3 2
puts 1 12
settle 14 1 2
snapshot 1
join 3 1
await 3 applied+4
judge
