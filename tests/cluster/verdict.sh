#!/bin/sh
# figure8.sh recorded: it fails, every process of it replays, and explain names what broke: index 2, A against B.
set -eu
. "$(dirname "$0")/lib.sh"
begin
run=$dir/figure8.drd
record "$run" sh "$cluster/figure8.sh"
cat "$run.said"
[ "$recorded" -ne 77 ] || exit 77
[ "$recorded" -eq 1 ] || fail "figure8, recorded, ended with status $recorded"
replay "$run"
tail -n 3 "$run.replayed"
explain "$run" 1
cat "$run.explained"
grep -q 'State Machine Safety broken at index 2' "$run.explained" || fail "not the verdict expected"
