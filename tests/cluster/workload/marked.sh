#!/bin/sh
# Three nodes of a protocol of its own (tests/nodes/marked.c). Two of them commit what the third does not hear; then the third
# asks for votes. CARELESS=yes: node 2 gives it its vote, and what was committed is overwritten.
set -eu
. "$(dirname "$0")/../lib.sh"

ask() {
    "$nodes/marked" ask "$PORT" "$@" || fail "no answer"
}

# ready ID: it answers, a minute at most.
ready() {
    tries=0
    until "$nodes/marked" ask "$PORT" "$1" ping 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || fail "node $1 does not start"
        sleep 0.05
    done
}

begin
for i in 1 2 3; do
    wrong=
    if [ $i = 2 ] && [ "${CARELESS:-no}" = yes ]; then wrong=careless; fi
    node_start n$i "$nodes/marked" serve "$PORT" $i 3 $wrong
    ready $i # one after another: what is said of them has their order
done
ask 1 campaign
ask 1 "put apples"
ask 3 "wait 1"
ask 3 deaf
ask 1 "put pears"
ask 2 "wait 2"
ask 3 hear
if [ "${CARELESS:-no}" = yes ]; then
    ask 1 deaf # keeps what it has
    ask 3 campaign
    ask 3 "put plums"
else
    ask 2 campaign
    ask 2 "put plums"
    ask 3 "wait 3"
fi
for i in 1 2 3; do
    ask $i stop
    read -r pid <"$dir/n$i.pid"
    wait "$pid" || fail "n$i ended with status $?"
    rm "$dir/n$i.pid"
done
