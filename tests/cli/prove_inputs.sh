#!/bin/sh
# drd explain --prove where the input is the clock, a file or a client's command, and drd whatif with these.
#   prove_inputs.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
[ -x "$build/tests/nodes/raftkv" ] || { echo "no raftkv"; exit 77; }
scenes=$here/../cluster/raftkv trace=$here/../../traces/T24.drd

refuse 129 'drd: --read *: * is no value for that' "$drd" whatif "$trace" --read "n2@251=\\q"
refuse 129 'drd: --clock *: * is no value for that' "$drd" whatif "$trace" --clock n2@251=noon

# State machines that read the clock: all read the same. A client's command is an input as well.
expect 1 "$drd" simulate --seed 1 -o clock.drd -- sh "$scenes/T24a.sh" "$build"
expect 1 "$drd" explain --prove --times 1 --no-source --no-pager clock.drd
grep -q '^PROOF *all read the time of day that was read at n1@[0-9]*: gone in 1 of 1 runs; ' out || wrong "PROOF: $(grep ^PROOF out)"
option=$(sed -n 's/^ *drd whatif clock.drd \(--clock n[0-9]*@[0-9]*=[0-9]* --clock n[0-9]*@[0-9]*=[0-9]*\) --seeds 1$/\1/p' out)
[ -n "$option" ] || wrong "no options: $(cat out)"
# shellcheck disable=SC2086
expect 0 "$drd" whatif clock.drd $option --seeds 1
expect 1 "$drd" whatif clock.drd --clock "${option##* }" --seeds 1 # the third node differs all the same
expect 1 "$drd" simulate --seed 1 -o twice.drd -- sh "$scenes/T23a.sh" "$build"
expect 1 "$drd" explain --prove --times 1 --no-source --no-pager twice.drd
grep -q '^PROOF *the INCR of kv_client#[0-9]* to n1 is lost: gone in 1 of 1 runs; ' out || wrong "PROOF: $(grep ^PROOF out)"

# A file, which two of three nodes find otherwise.
expect 1 "$drd" simulate --seed 1 -o file.drd -- sh "$scenes/T24d.sh" "$build"
expect 1 "$drd" explain --no-source --no-pager file.drd
read_at() {
    sed -n "s/.* it read a file at \\($1@[0-9]*\\)\$/\\1/p" out
}
second=$(read_at n2) third=$(read_at n3)
expect 0 "$drd" whatif file.drd --read "$second=site1\\n" --read "$third=site1\\n"
expect 1 "$drd" whatif file.drd --read "$second=site1\\n"
leave
