#!/bin/sh
# n1 says that the entry before its log's first is of term 0: nobody takes B. No harm but that. Status 0
. "$(dirname "$0")/moves.sh"
team 1 --snapshot 0 --trailing 0
put 1 x A
settle 3
snapshot 1
part
join 1 3
put_alone 1 x B 4
acted 1
judge
