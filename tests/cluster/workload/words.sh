#!/bin/sh
# Three raftkv servers and a client that puts words of its own: words.sh BUILD VALUE. What of them a run holds is for others to look.
set -eu
. "$(dirname "$0")/../lib.sh"
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"
members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
begin
for i in 1 2 3; do
    node_start n$i "$nodes/raftkv" --id $i --dir "$dir/fileword$i" --members "$members" --client-port $((PORT + 4 + i))
done
leader=$("$nodes/kv_client" leader $((PORT + 5)),$((PORT + 6)),$((PORT + 7)))
"$nodes/kv_client" send "$leader" PUT keyword valueword
"$nodes/kv_client" send "$leader" PUT secondkey "$2"
"$nodes/kv_client" send "$leader" GET keyword
for i in 1 2 3; do node_stop n$i; done
