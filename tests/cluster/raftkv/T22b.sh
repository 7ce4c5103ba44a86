#!/bin/sh
# n2 grants n3 a pre-vote although it hears n1, who leads. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
buggy=2
team 1 --pre-vote
step 3 prevote
acted 2
judge
