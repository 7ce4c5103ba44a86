#!/bin/sh
# A cluster that does nothing for a while, or a constant load: what simulate.sh measures. Ends by itself.
#   PROGRAM (raftkv, libraft, pysyncobj, ovsdb), NODES (3), LASTS (10: seconds), RATE (0: no load; else commands a second)
set -eu
. "$(dirname "$0")/../cluster/lib.sh"
PROGRAM=${PROGRAM:-raftkv} NODES=${NODES:-3} LASTS=${LASTS:-10} RATE=${RATE:-0} WINDOW=${WINDOW:-16}
PATH=$PATH:/usr/sbin
COMMANDS=$((RATE * LASTS))
client=kv_client
case $PROGRAM in libraft) server=$nodes/libraft_kv ;; *) server=$nodes/$PROGRAM ;; esac


members=
clients=
for i in $(seq "$NODES"); do
    members=$members,127.0.0.1:$((PORT + i))
    clients=$clients,$((PORT + 7 + i))
done
members=${members#,} clients=${clients#,}

start() {
    case $PROGRAM in
    raftkv | libraft) node_start "n$1" "$server" --id "$1" --dir "$dir/n$1" --members "$members" --client-port $((PORT + 7 + $1)) \
        --snapshot 512 --pre-vote ;;
    pysyncobj) node_start "n$1" /usr/bin/python3 "$cluster/../nodes/pysyncobj_node.py" "$1" "$dir/n$1" "$members" $((PORT + 7 + $1)) ;;
    ovsdb) node_start "n$1" ovsdb-server -vconsole:off -vsyslog:off --no-chdir --remote=punix:"$dir/n$1.sock" \
        --unixctl="$dir/n$1.ctl" "$dir/n$1.db" ;;
    esac
}

ovsdb_create() {
    echo '{"name":"DRD","version":"1.0.0","tables":{"kv":{"columns":{"k":{"type":"string"},"v":{"type":"integer"}},"isRoot":true}}}' \
        >"$dir/schema"
    clients=$dir/n1.sock client=ovsdb_client
    ovsdb-tool create-cluster "$dir/n1.db" "$dir/schema" "tcp:127.0.0.1:$((PORT + 1))"
    for i in $(seq 2 "$NODES"); do
        ovsdb-tool join-cluster "$dir/n$i.db" DRD "tcp:127.0.0.1:$((PORT + i))" "tcp:127.0.0.1:$((PORT + 1))"
        clients=$clients,$dir/n$i.sock
    done
    start 1
    client $client leader "$dir/n1.sock" >/dev/null
}

begin
export OVS_RUNDIR="$dir"
first=1
if [ "$PROGRAM" = ovsdb ]; then ovsdb_create; first=2; fi
for i in $(seq $first "$NODES"); do start "$i"; done
if [ "$PROGRAM" = ovsdb ]; then client $client equal "$clients" || fail "the nodes do not join"; fi
client $client leader "$clients" >/dev/null
if [ "$RATE" -gt 0 ]; then client_load $client "$clients"; else sleep "$LASTS"; fi
for i in $(seq "$NODES"); do
    if [ "$PROGRAM" = ovsdb ]; then node_stop "n$i" ovs-appctl -t "$dir/n$i.ctl" exit; else node_stop "n$i"; fi
done
