#!/bin/sh
# Three pysyncobj nodes (journal and dump) under load. The leader is killed in mid-load, restarted, and catches up.
#   COMMANDS (default 600), RATE a second (200), WINDOW (16)
#   SHAKE=SEED instead: random faults (shake.sh), under drd record
set -eu
. "$(dirname "$0")/../lib.sh"
COMMANDS=${COMMANDS:-600} RATE=${RATE:-200} WINDOW=${WINDOW:-16}
python=/usr/bin/python3
"$python" -c 'import pysyncobj' 2>/dev/null || skip "python3-pysyncobj is not installed"

members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
clients=$((PORT + 5)),$((PORT + 6)),$((PORT + 7))

start() {
    node_start "n$1" "$python" "$cluster/../nodes/pysyncobj_node.py" "$1" "$dir/n$1" "$members" $((PORT + 4 + $1))
}

begin
for i in 1 2 3; do start $i; done
leader=$("$nodes/kv_client" leader "$clients")
client_load kv_client "$clients" &
loader=$!
if [ -n "${SHAKE:-}" ]; then
    . "$(dirname "$0")/shake.sh"
    shake "$SHAKE"
else
    "$nodes/kv_client" await "$leader" "applied+$((COMMANDS / 3))" >/dev/null
    victim=$((leader - PORT - 4))
    node_kill n$victim
    "$nodes/kv_client" leader "$clients" --not "$leader" >/dev/null
    start $victim
fi
wait $loader || fail "load"
"$nodes/kv_client" equal "$clients"
for i in 1 2 3; do node_stop n$i; done
