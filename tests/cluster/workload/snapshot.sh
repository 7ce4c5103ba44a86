#!/bin/sh
# Three libraft servers that keep a short log. A follower is killed, misses more than the log still holds, and is restarted:
# only the leader's snapshot (InstallSnapshot) can bring it up to date. No load runs meanwhile.
set -eu
. "$(dirname "$0")/../lib.sh"
[ -x "$nodes/libraft_kv" ] || skip "no libraft server in $nodes"

members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
clients=$((PORT + 5)),$((PORT + 6)),$((PORT + 7))

start() {
    node_start "n$1" "$nodes/libraft_kv" --id "$1" --dir "$dir/n$1" --members "$members" --client-port $((PORT + 4 + $1)) \
        --snapshot 64 --trailing 16 --pre-vote
}

begin
for i in 1 2 3; do start $i; done
leader=$("$nodes/kv_client" leader "$clients")
"$nodes/kv_client" load "$clients" --commands 50 --window 4
follower=$(((leader - PORT - 4) % 3 + 1))
node_kill n$follower
others=$(echo "$clients" | tr , '\n' | grep -vx $((PORT + 4 + follower)) | paste -sd ,)
"$nodes/kv_client" load "$others" --commands 300 --window 4
start $follower
"$nodes/kv_client" equal "$clients" || fail "n$follower does not catch up"
for i in 1 2 3; do node_stop n$i; done
