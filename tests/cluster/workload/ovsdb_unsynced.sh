#!/bin/sh
# A mistake of ovsdb-server 3.1, and the power failure by which it loses a row, in the simulated world. What it takes for synced (log_synced of
# raft.c) stays as it is when the end of the log is deleted: entries in its place are acknowledged before they are on disk.
# n1 has two entries that nobody else has. n2, elected by n3, and then cut off from it, puts others in their place. n1 acknowledges them at
# once, by which n2 commits them and answers its client. Then n1, whose disk is slow, loses its power; with n3 it goes on without them.
# Status 1: the row is gone. It is so where the unsynced page is lost.
set -eu
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin
command -v ovsdb-server >/dev/null || skip "ovsdb-server is not installed"

start() {
    node_start "n$1" ovsdb-server -vconsole:off -vsyslog:off --no-chdir --log-file="$dir/n$1.log" \
        --remote=punix:"$dir/n$1.sock" --unixctl="$dir/n$1.ctl" "$dir/n$1.db"
}

# leader N...: waits until one of these leads; $led is its number.
leader() {
    sockets=
    for i in "$@"; do sockets=$sockets${sockets:+,}$dir/n$i.sock; done
    led=$("$nodes/ovsdb_client" leader "$sockets")
    led=$(basename "$led" .sock)
    led=${led#n}
}

row() {
    ovsdb-client --timeout=2 transact "unix:$dir/n$1.sock" \
        "[\"DRD\",{\"op\":\"insert\",\"table\":\"kv\",\"row\":{\"k\":\"$2\",\"v\":$3}}]"
}

begin
export OVS_RUNDIR="$dir"
at=tcp:127.0.0.1
echo '{"name":"DRD","version":"1.0.0","tables":{"kv":{"columns":{"k":{"type":"string"},"v":{"type":"integer"}},"isRoot":true}}}' \
    >"$dir/schema"
ovsdb-tool create-cluster "$dir/n1.db" "$dir/schema" "$at:$((PORT + 1))"
for i in 2 3; do ovsdb-tool join-cluster "$dir/n$i.db" DRD "$at:$((PORT + i))" "$at:$((PORT + 1))"; done
start 1
leader 1
for i in 2 3; do start $i; done
"$nodes/ovsdb_client" equal "$dir/n1.sock,$dir/n2.sock,$dir/n3.sock"

"$drd" fault cut n1
row 1 alone 1 >/dev/null &
sleep 0.1
ovs-appctl -t "$dir/n1.ctl" cluster/change-election-timer DRD 2000
sleep 0.1
"$drd" fault disk n1 slow 300
"$drd" fault kill n1
leader 2 3
other=$((5 - led)) first=$led
"$drd" fault heal
"$drd" fault restart n1
"$drd" fault cut "n$other"
row "$first" kept 2
"$drd" fault crash n1
"$drd" fault kill "n$first"
"$drd" fault heal
"$drd" fault disk n1 well
"$drd" fault restart n1
leader 1 "$other"
row "$led" later 3
"$drd" fault restart "n$first"
"$nodes/ovsdb_client" equal "$dir/n1.sock,$dir/n2.sock,$dir/n3.sock"
ovsdb-client dump "unix:$dir/n$led.sock" DRD kv
ovsdb-client dump "unix:$dir/n$led.sock" DRD kv | grep -q kept || fail "the row that n$first had acknowledged is gone"
