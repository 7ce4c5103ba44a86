#!/bin/sh
# workload/ovsdb_unsynced.sh in the simulated world. What of an unsynced page survives a power failure is drawn, so some seeds are tried. A row that ovsdb-server acknowledged is gone, and the cause is what n1 acknowledged before it was on its disk.
set -eu
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
command -v ovsdb-server >/dev/null || skip "ovsdb-server is not installed"
begin
export DRD_STORE="$dir/store"
explored=0
"$drd" explore --seeds 1..8 --jobs 1 --until violation -- sh "$cluster/workload/ovsdb_unsynced.sh" "$build" \
    >"$dir/explored" 2>&1 || explored=$?
cat "$dir/explored"
[ "$explored" -eq 1 ] || fail "drd explore ended with status $explored"
run=$(sed -n 's/^ *KEPT *\(explore-[0-9a-f]*-T05\).*/\1/p' "$dir/explored")
[ -n "$run" ] || fail "the cause is not T05"
"$drd" explain "$run" >"$dir/explained" || [ $? -eq 1 ] || fail "explain"
cat "$dir/explained"
grep -q '^VERDICT .*State Machine Safety broken at index 6: .*"kv {\\"k\\":\\"kept\\",' "$dir/explained" ||
    fail "the row that is lost is not told"
grep -q '^CAUSE  *n1 acknowledged index 6 to n[23] in term [0-9]* before .* was on stable storage .*T05' "$dir/explained" ||
    fail "that n1 acknowledged what was not on its disk is not the cause"
