#!/bin/sh
# Three ovsdb-servers under load. The leader is killed in mid-load, restarted, and catches up; ovsdb-tool compares their logs.
#   COMMANDS (default 1500), RATE a second (500; 0: as fast as answered), WINDOW (16), KILL=no for load alone
#   SHAKE=SEED instead: random faults (shake.sh), under drd record
set -eu
. "$(dirname "$0")/../lib.sh"
COMMANDS=${COMMANDS:-1500} RATE=${RATE:-500} WINDOW=${WINDOW:-16} KILL=${KILL:-yes}
PATH=$PATH:/usr/sbin
command -v ovsdb-server >/dev/null || skip "ovsdb-server is not installed"

start() {
    node_start "n$1" ovsdb-server -vconsole:off -vsyslog:off --no-chdir --log-file="$dir/n$1.log" \
        --remote=punix:"$dir/n$1.sock" --unixctl="$dir/n$1.ctl" "$dir/n$1.db"
}

address() {
    echo "tcp:127.0.0.1:$((PORT + $1))"
}

create() {
    cat >"$dir/schema" <<'SCHEMA'
{"name":"DRD","version":"1.0.0","tables":{"kv":{"columns":{"k":{"type":"string"},"v":{"type":"integer"}},"isRoot":true}}}
SCHEMA
    ovsdb-tool create-cluster "$dir/n1.db" "$dir/schema" "$(address 1)"
    ovsdb-tool join-cluster "$dir/n2.db" DRD "$(address 2)" "$(address 1)"
    ovsdb-tool join-cluster "$dir/n3.db" DRD "$(address 3)" "$(address 1)"
}

begin
export OVS_RUNDIR="$dir"
sockets=$dir/n1.sock,$dir/n2.sock,$dir/n3.sock
create
start 1
"$nodes/ovsdb_client" leader "$dir/n1.sock" >/dev/null
for i in 2 3; do start $i; done
"$nodes/ovsdb_client" equal "$sockets" || fail "the nodes do not join"
leader=$("$nodes/ovsdb_client" leader "$sockets")
client_load ovsdb_client "$sockets" &
loader=$!
if [ -n "${SHAKE:-}" ]; then
    . "$(dirname "$0")/shake.sh"
    shake "$SHAKE"
elif [ "$KILL" = yes ]; then
    "$nodes/ovsdb_client" await "$leader" $((COMMANDS / 3))
    victim=$(basename "$leader" .sock)
    node_kill "$victim"
    "$nodes/ovsdb_client" leader "$sockets" >/dev/null
    start "${victim#n}"
fi
wait $loader || fail "load"
"$nodes/ovsdb_client" equal "$sockets"
for i in 1 2 3; do node_stop n$i ovs-appctl -t "$dir/n$i.ctl" exit; done
ovsdb-tool check-cluster "$dir/n1.db" "$dir/n2.db" "$dir/n3.db"
echo "ovsdb-tool check-cluster: consistent"
