#!/bin/sh
# n2 grants n3, which does not hear n1, a pre-vote, although it hears n1, who leads on. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
buggy=2
team 1 --pre-vote
part 3 1
step 3 prevote
acted 2
put 1 x A
settle 3 1 2
judge
