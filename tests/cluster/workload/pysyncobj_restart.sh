#!/bin/sh
# pysyncobj 0.3.11 keeps terms and votes in no file. Three nodes with a journal lose their power together; two come back,
# elect a leader in a term that the log has long passed, and commit. Then that leader fails and the third node comes back: the
# last term of its log is higher, so it is elected, and replaces what was committed.
# BACK="1 2 3": all come back at once; nothing committed is lost, and it ends with 0.
# Ends with 1, as a failing test does: n1 and n2 had applied y=B at the index where n3 applies z=C. 2: the scene could not be
# set up.
set -eu
. "$(dirname "$0")/../lib.sh"
python=/usr/bin/python3
"$python" -c 'import pysyncobj' 2>/dev/null || skip "python3-pysyncobj is not installed"

members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
n1=$((PORT + 5)) n2=$((PORT + 6)) n3=$((PORT + 7)) # client ports
within=20000

cannot() {
    failure=2
    fail "cannot set up: $*"
}

start() {
    node_start "n$1" "$python" "$cluster/../nodes/pysyncobj_node.py" "$1" "$dir/n$1" "$members" $((PORT + 4 + $1))
}

# elected PORTS [OPTION...]: sets $leader, its client port.
elected() {
    leader=$("$nodes/kv_client" leader "$@" --within $within) || cannot "no leader among $*"
}

# put PORT KEY VALUE: is answered when it is committed and applied.
put() {
    "$nodes/kv_client" send "$1" --within $within PUT "$2" "$3" >/dev/null || cannot "$2=$3 is refused"
}

# term PORT: sets $term.
term() {
    "$nodes/kv_client" send "$1" STAT >"$dir/stat" || cannot "no status of $1"
    term=$(sed -n 's/.* term=\([0-9]*\) .*/\1/p' "$dir/stat")
}

begin
for i in 1 2 3; do start $i; done
elected $n1,$n2,$n3
put "$leader" w 0
# A new leader, a new term: the more of them, the surer that the terms after the restart are old ones.
for change in 1 2 3; do
    old=$leader
    node_kill n$((old - PORT - 4))
    elected $n1,$n2,$n3 --not "$old"
    put "$leader" w $change
    start $((old - PORT - 4))
done
put "$leader" x A
"$nodes/kv_client" equal $n1,$n2,$n3 --within $within >/dev/null || cannot "x=A is not everywhere"
term "$leader"
before=$term
echo "1  x=A is committed and applied by all, in term $before"

for i in 1 2 3; do node_kill n$i; done
back=${BACK:-1 2} ports=
for i in $back; do
    start "$i"
    ports=${ports:+$ports,}$((PORT + 4 + i))
done
elected "$ports"
put "$leader" y B
"$nodes/kv_client" equal "$ports" --within $within >/dev/null || cannot "y=B is not on both"
term "$leader"
[ "$term" -lt "$before" ] || cannot "term $term is not below $before"
echo "2  the power was gone; n1 and n2 are back, and commit y=B in term $term"

if [ "$back" != "1 2" ]; then
    "$nodes/kv_client" equal "$ports" --within $within || cannot "the state machines differ"
    for i in $back; do node_stop "n$i"; done
    exit 0
fi
first=$((leader - PORT - 4)) other=$((3 - leader + PORT + 4))
node_kill n$first
start 3
elected $((PORT + 4 + other)),$n3
[ "$leader" -eq $n3 ] || cannot "n3 is not elected"
put $n3 z C
"$nodes/kv_client" await $n3 --within $within "applied+6" >/dev/null || cannot "n3 does not apply z=C"
echo "3  n$first is gone again, n3 is back and leads: z=C is committed"

for i in $other 3; do
    "$nodes/kv_client" log $((PORT + 4 + i)) >"$dir/n$i.applied" || cannot "no log of n$i"
    read -r applied <"$dir/n$i.applied"
    echo "n$i applied [$applied]"
done
for i in $other 3; do node_stop n$i; done
cmp -s "$dir/n$other.applied" "$dir/n3.applied" && exit 0
echo "FAIL: the state machines differ"
exit 1
