#!/bin/sh
# workload/raftkv_storm.sh: a correct cluster stays correct, and explain says so. Natively with some seeds, once recorded and
# replayed, with marks and without.
set -eu
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "no python3"
begin
for SEED in 1 2; do
    SEED=$SEED NODES=$((1 + SEED * 2)) sh "$cluster/workload/raftkv_storm.sh" || fail "seed $SEED"
done
export SEED=3 NODES=3 SECONDS_LONG=4
for MARKS in yes no; do
    export MARKS
    record_and_judge raftkv_storm 0
    rm "$dir"/raftkv_storm.drd
done
