#!/bin/sh
# n3 acknowledges what is written but not synced: seen only where power fails. Status 0
. "$(dirname "$0")/moves.sh"
buggy=3
team 1
put 1 x A
settle 3
judge
