#!/bin/sh
# Three raftkv servers (tests/nodes/raftkv), without a mistake, under load. The leader is killed in mid-load, restarted, and
# catches up; all end alike.
#   COMMANDS (default 2000), RATE a second (1000; 0: as fast as answered), WINDOW (16), KILL=no for load alone,
#   SNAPSHOT (512), OPTIONS (--pre-vote)
#   SHAKE=SEED instead: random faults (shake.sh), under drd record
set -eu
. "$(dirname "$0")/../lib.sh"
COMMANDS=${COMMANDS:-2000} RATE=${RATE:-1000} WINDOW=${WINDOW:-16} KILL=${KILL:-yes}
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"

members=127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 2)),127.0.0.1:$((PORT + 3))
clients=$((PORT + 5)),$((PORT + 6)),$((PORT + 7))

start() {
    # shellcheck disable=SC2086
    node_start "n$1" "$nodes/raftkv" --id "$1" --dir "$dir/n$1" --members "$members" --client-port $((PORT + 4 + $1)) \
        --snapshot "${SNAPSHOT:-512}" ${OPTIONS:---pre-vote}
}

begin
for i in 1 2 3; do start $i; done
leader=$("$nodes/kv_client" leader "$clients")
client_load kv_client "$clients" &
loader=$!
if [ -n "${SHAKE:-}" ]; then
    . "$(dirname "$0")/shake.sh"
    shake "$SHAKE"
elif [ "$KILL" = yes ]; then
    "$nodes/kv_client" await "$leader" "applied+$((COMMANDS / 3))" >/dev/null
    victim=$((leader - PORT - 4))
    node_kill n$victim
    "$nodes/kv_client" leader "$clients" >/dev/null
    start $victim
fi
wait $loader || fail "load"
"$nodes/kv_client" equal "$clients"
for i in 1 2 3; do node_stop n$i; done
