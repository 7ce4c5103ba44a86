#!/bin/sh
# ovsdb-server, for drd explore: three servers, and a client that gives them a little to do while whatever the world wants happens to them;
# then all must be alike. Which faults there are, and when, is not said here: drd simulate --faults.
#   SECONDS_LONG (32, of the world: its faults end after 30)
set -eu
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin
command -v ovsdb-server >/dev/null || skip "ovsdb-server is not installed"

start() {
    node_start "n$1" ovsdb-server -vconsole:off -vsyslog:off --no-chdir --log-file="$dir/n$1.log" \
        --remote=punix:"$dir/n$1.sock" --unixctl="$dir/n$1.ctl" "$dir/n$1.db"
}

begin
export OVS_RUNDIR="$dir"
at=tcp:127.0.0.1
echo '{"name":"DRD","version":"1.0.0","tables":{"kv":{"columns":{"k":{"type":"string"},"v":{"type":"integer"}},"isRoot":true}}}' \
    >"$dir/schema"
ovsdb-tool create-cluster "$dir/n1.db" "$dir/schema" "$at:$((PORT + 1))"
for i in 2 3; do ovsdb-tool join-cluster "$dir/n$i.db" DRD "$at:$((PORT + i))" "$at:$((PORT + 1))"; done
start 1
"$nodes/ovsdb_client" leader "$dir/n1.sock" >/dev/null
for i in 2 3; do start $i; done
"$nodes/ovsdb_client" probe "$dir/n1.sock,$dir/n2.sock,$dir/n3.sock" --seconds "${SECONDS_LONG:-32}"
