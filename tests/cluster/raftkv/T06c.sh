#!/bin/sh
# votes for term 2 come with the term before. No harm is done. Status 0
. "$(dirname "$0")/moves.sh"
buggy=3
team 1
put 1 x A
settle 3
judge
