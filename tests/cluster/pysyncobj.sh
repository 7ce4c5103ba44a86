#!/bin/sh
# workload/pysyncobj.sh recorded: every process replays to its end, and explain finds nothing wrong in what the nodes say. It
# must have seen them: three nodes, and commits that are compared.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record_and_judge pysyncobj 0
grep -q '^CHECKED *3 nodes' "$dir/pysyncobj.drd.explained" || fail "not all nodes were found"
grep -q '[1-9][0-9,]* of them compared with another' "$dir/pysyncobj.drd.explained" || fail "no commits were compared"
