#!/bin/sh
# libraft, for drd explore: three servers, and a client that gives each of them a little to do while whatever the world wants happens to
# them; then all must be alike. Which faults there are, and when, is not said here: drd simulate --faults.
#   SECONDS_LONG (32, of the world: its faults end after 30), EVERY so many ms about a command for each server (400),
#   OPTIONS of the server
set -eu
. "$(dirname "$0")/../lib.sh"
[ -x "$nodes/libraft_kv" ] || skip "no libraft server in $nodes"
begin
members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
for i in 1 2 3; do
    # shellcheck disable=SC2086
    node_start n$i "$nodes/libraft_kv" --id $i --dir "$dir/n$i" --members "$members" --client-port $((PORT + 7 + i)) \
        ${OPTIONS:---segment 65536 --heartbeat 100}
done
"$nodes/kv_probe" $((PORT + 8)),$((PORT + 9)),$((PORT + 10)) --seconds "${SECONDS_LONG:-32}" --every "${EVERY:-400}"
