#!/bin/sh
# Three ovsdb-servers, and an administrator who restores a backup. The leader commits B with one follower while the third server is
# cut off; then the follower's database is replaced by an older copy, the leader fails, and the two others commit C where B was.
# Run under drd record. Ends with 1, as a failing test does: the databases contradict each other. 2: the scene could not be set up.
set -eu
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin
command -v ovsdb-server >/dev/null || skip "ovsdb-server is not installed"

cannot() {
    failure=2
    fail "cannot set up: $*"
}

start() {
    node_start "$1" ovsdb-server -vconsole:off -vsyslog:off --no-chdir --log-file="$dir/$1.log" \
        --remote=punix:"$dir/$1.sock" --unixctl="$dir/$1.ctl" "$dir/$1.db"
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

# sockets NODE...: sets $sockets.
sockets() {
    sockets=
    for node; do sockets=$sockets${sockets:+,}$dir/$node.sock; done
}

# elected NODE...: sets $leader.
elected() {
    sockets "$@"
    leader=$("$nodes/ovsdb_client" leader "$sockets") || cannot "no leader among $*"
    leader=$(basename "$leader" .sock)
}

# insert NODE KEY: is answered when it is committed.
insert() {
    ovsdb-client --timeout=20 transact "unix:$dir/$1.sock" \
        '["DRD",{"op":"insert","table":"kv","row":{"k":"'"$2"'","v":1}}]' >"$dir/answer" || cannot "$2 is refused"
    ! grep -q error "$dir/answer" || cannot "$2 is refused: $(cat "$dir/answer")"
}

begin
export OVS_RUNDIR="$dir"
create
for node in n1 n2 n3; do
    start $node
    [ $node != n1 ] || "$nodes/ovsdb_client" leader "$dir/n1.sock" >/dev/null
done
elected n1 n2 n3
"$nodes/ovsdb_client" equal "$sockets" || cannot "the nodes do not join"
insert "$leader" A
"$nodes/ovsdb_client" equal "$sockets" || cannot "A is not everywhere"
case $leader in n1) follower=n2 other=n3 ;; n2) follower=n3 other=n1 ;; *) follower=n1 other=n2 ;; esac
cp "$dir/$follower.db" "$dir/backup"
"$drd" fault cut $other || cannot "drd fault cut $other"
for key in B1 B2 B3; do insert "$leader" $key; done
sockets "$leader" "$follower"
"$nodes/ovsdb_client" equal "$sockets" || cannot "B is not at $follower"
node_kill $follower
mv "$dir/backup" "$dir/$follower.db"
node_kill "$leader"
"$drd" fault heal || cannot "drd fault heal"
start $follower
first=$leader
elected $other $follower
insert "$leader" C
sockets $other $follower
"$nodes/ovsdb_client" equal "$sockets" || cannot "C is not everywhere"
for node in $other $follower; do node_stop $node ovs-appctl -t "$dir/$node.ctl" exit; done
if ovsdb-tool check-cluster "$dir/$first.db" "$dir/$other.db" "$dir/$follower.db" >"$dir/checked" 2>&1; then
    fail "the databases agree"
fi
echo "$follower was rolled back; ovsdb-tool check-cluster: $(head -n 1 "$dir/checked")"
exit 1
