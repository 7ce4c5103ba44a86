#!/bin/sh
# Three raftkv servers, without a mistake, that stop in the way that STOPS says, and a client that waits for them:
#   quorum   two of three are killed                       storm    nobody hears anybody, and all stand again and again
#   leader   the leader's followers do not read what it sends   nobody   the leader is killed, the others are patient
#   exit     a server finds its log damaged and exits      crash    a server is struck by whoever reads the file STRUCK
#   fails    all is well, and the test says that it is not   well     all is well
# Status 0: well; 1: fails, exit and crash; the others wait longer than anybody will (drd record --timeout).
STOPS=${STOPS:-quorum}
BUG=none
. "$(dirname "$0")/../raftkv/moves.sh"

# What comes to no end: a request that is not answered, a leader that is not there. The recorder ends it, or whoever reads the line.
hangs() {
    "$client" "$@" >"$dir/hangs" 2>&1 &
    # shellcheck disable=SC2046
    echo "now it hangs:" $$ $! $(cat "$dir"/n*.pid)
    wait $! || true
    exit 1
}

asks() {
    port "$1"
    hangs send "$port" --within 600000 PUT y B
}

seeks() {
    port 2
    hangs await "$port" --within 600000 role=leader
}

team 1
put 1 x A
settle 3
case $STOPS in
quorum)
    crash 2
    crash 3
    asks 1
    ;;
storm)
    part
    for i in $numbers; do patience "$i" 100; done
    seeks
    ;;
leader)
    step 2 hold 1
    step 3 hold 1
    asks 1
    ;;
nobody)
    crash 1
    seeks
    ;;
exit)
    crash 3
    printf 'no log' >"$dir/n3/log"
    failure=1 within=2000
    start 3
    gone 3
    fail "n3 does not start"
    ;;
crash)
    cp "$dir/n3.pid" "${STRUCK:?}.new"
    mv "$STRUCK.new" "$STRUCK"
    gone 3
    failure=1
    fail "n3 is gone"
    ;;
fails) verdict "that is not what was wanted" 1 ;;
well) verdict "" 0 ;;
esac
