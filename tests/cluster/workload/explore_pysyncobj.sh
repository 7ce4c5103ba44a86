#!/bin/sh
# pysyncobj, for drd explore: three servers with journal and dump, and a client that gives each of them a little to do while whatever the
# world wants happens to them; then all must be alike. Which faults there are, and when, is not said here: drd simulate --faults.
#   SECONDS_LONG (32, of the world: its faults end after 30)
set -eu
. "$(dirname "$0")/../lib.sh"
python=/usr/bin/python3
[ -d /usr/lib/python3/dist-packages/pysyncobj ] || skip "python3-pysyncobj is not installed"
begin
members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
for i in 1 2 3; do
    node_start n$i "$python" "$cluster/../nodes/pysyncobj_node.py" $i "$dir/n$i" "$members" $((PORT + 7 + i))
done
"$nodes/kv_probe" $((PORT + 8)),$((PORT + 9)),$((PORT + 10)) --seconds "${SECONDS_LONG:-32}" --every 300
