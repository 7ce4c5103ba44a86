#!/bin/sh
# n1 and n2 follow a vote request of n3 although n1 leads. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
team 1
part 3 1
part 3 2
patience 3 150
await 3 role=candidate
join 3 2
acted 2
patience 3 $election
judge
