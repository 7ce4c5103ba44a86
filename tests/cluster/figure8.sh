#!/bin/sh
# Figure 8 of the Raft paper, on a real library: a leader of libraft 0.15 commits an entry of an earlier term by counting
# replicas, and another leader replaces it. Run as: drd record -- sh tests/cluster/figure8.sh
# Ends with 1, as a failing test does: s0 applied [x=A], s1 and s2 applied [x=B x=C]. 2: the scene could not be set up.
#
# WINS=s0: in the end s0 is elected again, and all keep A. Ends with 0.
#
# Nothing here is left to luck: between steps every node is alone, so that all are candidates and none follows a leader;
# then two are joined, and the one with the short election timeout and the higher term asks first.
set -eu
. "$(dirname "$0")/lib.sh"
[ -x "$nodes/libraft_kv" ] || skip "no libraft server in $nodes"

s0=$((PORT + 5)) s1=$((PORT + 6)) s2=$((PORT + 7)) # client ports
members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
SHORT=200 MIDDLE=300 LONG=2000 # election timeouts in ms, drawn between once and twice that

cannot() {
    failure=2
    fail "cannot set up: $*"
}

# start NODE ELECTION: node s0 has the number 1 and so on, because libraft's numbers begin at 1.
start() {
    node_start "s$1" "$nodes/libraft_kv" --id $(($1 + 1)) --dir "$dir/s$1" --members "$members" \
        --client-port $((PORT + 5 + $1)) --election "$2"
}

# port NODE: sets $port. (A subshell a call would fill the recording with processes that say nothing.)
port() {
    eval "port=\$$1"
}

set_times() {
    port "$1"
    "$nodes/kv_client" send "$port" TIMES "$2" "$3" >/dev/null || cannot "$1 does not answer"
}

# await NODE NAME=VALUE... with a deadline in $within
within=60000
await() {
    port "$1"
    shift
    "$nodes/kv_client" await "$port" --within "$within" "$@" >"$dir/stat"
}

# ahead NODE OTHER: waits until the node's term is higher than the other's is now.
ahead() {
    port "$2"
    other=$port
    port "$1"
    "$nodes/kv_client" ahead "$port,$other" --within $within || cannot "$1 starts no election"
}

isolate() {
    "$drd" fault cut s0 s1 s2 || cannot "drd fault cut"
}

# elect WINNER VOTER HEARTBEAT: joins two lone nodes until the first leads.
elect() {
    for try in 1 2 3 4 5; do
        await "$1" role=candidate || cannot "$1 has not lost its leader"
        await "$2" role=candidate || cannot "$2 has not lost its leader"
        set_times "$2" $LONG 50
        ahead "$2" "$2" # its next timer is a long one
        set_times "$1" $SHORT "$3"
        ahead "$1" "$2"
        "$drd" fault heal "$1" "$2" || cannot "drd fault heal"
        within=$((3000 * try)) # another may have been elected, and only a new start helps
        elected=yes
        await "$1" role=leader || elected=no
        within=60000
        [ "$elected" = yes ] && return 0
        echo "figure8: $1 was not elected by $2, try $try" >&2
        isolate
        set_times "$1" $MIDDLE 50
        set_times "$2" $MIDDLE 50
    done
    cannot "$1 is not elected"
}

# append_alone LEADER VALUE INDEX: the leader is cut off, takes a command that it can tell nobody, and steps down.
append_alone() {
    isolate
    port "$1"
    "$nodes/kv_client" send "$port" PUT x "$2" >"$dir/refused" 2>&1 &
    await "$1" role=leader "last=$3" || cannot "$1 does not append $2: $(cat "$dir/stat")"
    set_times "$1" $MIDDLE 50
    wait $! || true
}

begin
start 0 $SHORT
start 1 $LONG
start 2 $LONG
await s0 role=leader || cannot "s0 is not elected"
await s1 leader=1 || cannot "s1 does not follow"
await s2 leader=1 || cannot "s2 does not follow"
set_times s0 $LONG 50
set_times s1 $MIDDLE 50
set_times s2 $MIDDLE 50
echo "1  s0 is elected"

append_alone s0 A 2
echo "2  s0, cut off, appends A"

elect s1 s2 50
set_times s1 $LONG 50
set_times s2 $MIDDLE 50
echo "3  s1 is elected by s2"

append_alone s1 B 2
await s2 last=1 || cannot "s2 has heard of B"
echo "4  s1, cut off, appends B"

# s2 learns of the index that s0 lacks with the first heartbeat, of A with the second, and would learn of the commit with
# the third: slow heartbeats leave a second for the cut between the last two.
elect s0 s2 1000
set_times s0 $((LONG * 2)) 1000
await s0 applied=2 || cannot "s0 does not commit A: $(cat "$dir/stat")"
isolate
await s2 last=2 applied=1 || cannot "s2 has applied A: $(cat "$dir/stat")"
set_times s0 $MIDDLE 50
set_times s2 $MIDDLE 50
echo "5  s0 is elected by s2, and commits A: an entry of an earlier term, by counting"

wins=${WINS:-s1}
elect "$wins" s2 50
set_times "$wins" $LONG 50
port "$wins"
"$nodes/kv_client" send "$port" PUT x C >/dev/null || cannot "$wins refuses C"
await s2 applied=3 || cannot "s2 does not apply C"
if [ "$wins" = s1 ]; then
    echo "6  s1 is elected by s2, and replaces A by B; C follows"
else
    "$drd" fault heal s0 s1 s2 || cannot "drd fault heal"
    await s1 applied=3 || cannot "s1 does not apply C"
    echo "6  s0 is elected by s2; C follows, and s1 takes over what they have"
fi

for node in s0 s1 s2; do
    port $node
    "$nodes/kv_client" log "$port" >"$dir/$node.applied"
    read -r applied <"$dir/$node.applied"
    echo "$node applied [$applied]"
done
for i in 0 1 2; do node_stop s$i; done
cmp -s "$dir/s0.applied" "$dir/s1.applied" && exit 0
echo "FAIL: the state machines differ"
exit 1
