#!/bin/sh
# drd explain --prove of a recorded run: it is gone on from in the simulated world.
#   prove_recorded.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
scene=$here/../cluster/raftkv/T07a.sh

# A scene that a busy machine did not let be set up is set up again; what is wrong with one recording is told if it is with all.
proved() {
    rm -f real.drd
    "$drd" record -o real.drd -- sh "$scene" "$build" >said 2>&1
    [ $? -eq 1 ] || return 1
    "$drd" explain --prove --times 1 --no-source --no-pager real.drd >out 2>errors
    [ $? -eq 1 ] || return 1
    grep -q '^CAUSE *proved: n1, leader of term [0-9]*, committed index 3 of term 2 by counting replicas' out &&
        grep -q '^PROOF .*: gone in 1 of 1 runs; without that change it is there in 1 of 1$' out &&
        grep -q '^ *drd whatif real.drd --[a-z]* .*@.* --seeds 1$' out
}
for try in 1 2 3 over; do
    [ $try != over ] || wrong "not proved: $(cat said out errors)"
    ! proved || break
done
grep -q '^DECIDED ' out && grep -q '#  2 of 2$' out || wrong "no curve: $(cat out)"
! grep -q 'another seed' out || wrong "a recording cannot begin otherwise: $(cat out)"
"$drd" explain --no-source --no-pager real.drd | grep -q '^CAUSE *proved: n1' || wrong "it is not kept"
leave
