#!/bin/sh
# workload/ovsdb_rollback.sh recorded: a correct server whose database somebody replaced by an older copy. Every process replays
# to its end; explain says what was overwritten, and that the file was changed from outside.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record "$dir/rollback.drd" sh "$cluster/workload/ovsdb_rollback.sh"
cat "$dir/rollback.drd.said"
[ "$recorded" -ne 77 ] || exit 77
[ "$recorded" -eq 1 ] || fail "ovsdb_rollback, recorded, ended with status $recorded"
node=$(sed -n 's/^\(n[123]\) was rolled back.*/\1/p' "$dir/rollback.drd.said")
replay "$dir/rollback.drd"
tail -n 3 "$dir/rollback.drd.replayed"
explain "$dir/rollback.drd" 1
cat "$dir/rollback.drd.explained"
grep -q "^CAUSE .*the files that $node read back end at index .*changed from outside.*T25" "$dir/rollback.drd.explained" ||
    fail "that the file of $node was changed is not the cause"
if grep -q '^ALSO SEEN' "$dir/rollback.drd.explained"; then fail "a correct server is said to have broken another rule"; fi
