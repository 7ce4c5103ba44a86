# shellcheck shell=sh
# The moves of which the scenarios in this folder are made. A scenario bears the name of the mistake it sets off
# (tests/nodes/raftkv/bugs.def) and is run as
#   drd record -- sh tests/cluster/raftkv/T07a.sh [BUILD]
# Status 1: the nodes differ at the end, or a client was told what is not so; 0: nothing of the kind can be seen; 2: the scene
# could not be set up.
#   BUG=ID       another mistake in the same scene; BUG=none: the same moves with a correct server
#   WITHIN=MS    the deadline of every wait
#   MARKS=no     the nodes state nothing about themselves
#   HEARTBEAT=MS  how often a leader speaks (25)
#   TURN=N       other servers play the parts: the story's n1 is the server n(1+N), and so on, around; for runs that differ in who
#                leads. Moves take the numbers of the story; what is printed and recorded has those of the servers
#
# Nothing is left to luck. Election timers are so long that no node becomes a candidate of its own accord; it is told to (STEP
# campaign). Who hears whom, and when, is decided by cuts and by holding messages back at the receiver (STEP hold), and every
# step waits for what it needs. Index 1 is the first configuration, of term 1; every leader begins with a no-op.
set -eu
. "$(dirname "$0")/../lib.sh"
server=$nodes/raftkv client=$nodes/kv_client
[ -x "$server" ] || skip "no raftkv in $nodes"

BUG=${BUG:-$(basename "$0" .sh)} MARKS=${MARKS:-yes} TURN=${TURN:-0}
buggy=all     # or the numbers of the nodes that make the mistake, where others would make it too and that is not the story
options=      # of all nodes
election=60000 # a timeout that does not end here
heartbeat=${HEARTBEAT:-25}
within=${WITHIN:-4000} # ms, the deadline of every wait
numbers=      # of all nodes
members=      # by which they start
sites=no      # every node has an environment of its own

cannot() {
    failure=2
    fail "cannot set up: $*"
}

# ---- nodes: n1, n2 ... are the numbers 1, 2 ... ----

# real I: sets $real to the server that plays n$I. Newcomers play themselves.
real() {
    real=$1
    if [ "$1" -ge 1 ] && [ "$1" -le "$count" ]; then real=$((($1 - 1 + TURN) % count + 1)); fi
}

# port I: sets $port, the client port. (A subshell a call would fill the recording with processes that say nothing.)
port() {
    real "$1"
    port=$((PORT + 7 + real))
}

# start I [OPTION...]: also after a crash.
start() {
    i=$1
    shift
    [ "$MARKS" = yes ] || set -- "$@" --no-marks
    unset RAFTKV_BUG
    case " $buggy " in *" $i "* | " all ") [ "$BUG" = none ] || export RAFTKV_BUG="$BUG" ;; esac
    port "$i"
    [ "$sites" = no ] || export RAFTKV_SITE="site$real"
    # shellcheck disable=SC2086
    node_start "n$real" "$server" --id "$real" --dir "$dir/n$real" --members "$members" --client-port "$port" \
        --election $election --heartbeat $heartbeat $options "$@"
}

# cluster N [OPTION...]: N nodes with these options; nobody leads.
cluster() {
    count=$1
    shift
    options="$*"
    begin
    for i in 1 2 3 4 5 6 7; do
        [ "$i" -le "$count" ] || break
        numbers="$numbers$i " members="$members${members:+,}127.0.0.1:$((PORT + i))"
    done
    for i in $numbers; do start "$i"; done
    # shellcheck disable=SC2086
    linked $numbers
}

# newcomer I: the next number, of a server that waits to be made a member.
newcomer() {
    numbers="$numbers$1 " members="$members,127.0.0.1:$((PORT + $1))" # those who are started already do not look at it
    start "$1" --join
    await "$1" role=follower
}

# add LEADER I, learner I: n$I becomes a voter; n1 makes a new node I a learner for good.
add() {
    real "$2"
    ask "$1" ADD "$2" 127.0.0.1:$((PORT + real)) || cannot "n$1 does not add n$2: $answer"
}

learner() {
    newcomer "$1"
    ask 1 LEARN "$1" 127.0.0.1:$((PORT + $1)) || cannot "n1 takes no learner: $answer"
}

# team LEADER [OPTION...]: three nodes; LEADER leads term 2, and its no-op, index 2, is committed by all.
team() {
    leader=$1
    shift
    cluster 3 "$@"
    lead "$leader"
    settle 2
}

# restart I [OPTION...]: after a crash.
restart() {
    start "$@"
    await "$1" role=follower
}

# gone I: it has killed itself (STEP crash).
gone() {
    real "$1"
    read -r pid <"$dir/n$real.pid"
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 over; do
        { read -r _ _ state _ <"/proc/$pid/stat"; } 2>/dev/null || break
        [ "$state" != Z ] || break
        [ $try != over ] || cannot "n$1 is still there"
        sleep 0.1
    done
    wait "$pid" 2>/dev/null || true
    rm "$dir/n$real.pid"
}

crash() {
    real "$1"
    "$drd" fault kill "n$real" || cannot "drd fault kill n$real"
    gone "$1"
}

# ---- who hears whom ----

# names I...: sets $names to n1 n2 ... of the servers.
names() {
    names=
    for i; do
        real "$i"
        names="$names n$real"
    done
}

# part [I...]: no connection between these; all of them if none is named.
part() {
    # shellcheck disable=SC2086
    if [ $# -eq 0 ]; then set -- $numbers; fi
    names "$@"
    # shellcheck disable=SC2086
    "$drd" fault cut $names || cannot "drd fault cut$names"
}

# linked I...: waits until all of these are connected to each other.
linked() {
    for one; do
        links=
        for other; do [ "$one" = "$other" ] || links="$links link$other=1"; done
        # shellcheck disable=SC2086
        await "$one" $links
    done
}

# join I...: these hear each other again.
join() {
    names "$@"
    # shellcheck disable=SC2086
    "$drd" fault heal $names || cannot "drd fault heal$names"
    linked "$@"
}

pause() {
    real "$1"
    "$drd" fault pause "n$real" || cannot "drd fault pause n$real"
}

resume() {
    real "$1"
    "$drd" fault resume "n$real" || cannot "drd fault resume n$real"
}

# ---- what a node is to do, and has done ----

# ask I VERB [WORD...]: its answer is in $answer; false if it is refused or does not come. Of a STEP the last word, of a change of
# the members the first is a node, where it is a number at all.
ask() {
    port "$1"
    asked=$port
    shift
    got=0
    case "$*" in
    STEP\ *\ [1-9]) real "$3" && set -- "$1" "$2" "$real" ;;
    ADD\ * | LEARN\ * | REMOVE\ * | TRANSFER\ *)
        real "$2"
        verb=$1
        shift 2
        set -- "$verb" "$real" "$@"
        ;;
    esac
    "$client" send "$asked" --within $within "$@" >"$dir/answer" 2>&1 || got=$?
    read -r answer <"$dir/answer" || answer=
    return $got
}

# await I NAME=VALUE...: until STAT shows that.
await() {
    node=$1
    port "$1"
    awaited=$port wanted=
    shift
    for word; do
        case $word in
        leader=[1-9] | vote=[1-9]) real "${word#*=}" && word=${word%=*}=$real ;;
        link*)
            link=${word#link}
            real "${link%=*}" && word=link$real=${link#*=}
            ;;
        esac
        wanted="$wanted $word"
    done
    # shellcheck disable=SC2086
    "$client" await "$awaited" --within $within $wanted >"$dir/stat" || cannot "n$node, awaited$wanted: $(cat "$dir/stat")"
}

# step I WORD...: it does as a test wants (head of tests/nodes/raftkv/client.c).
step() {
    node=$1
    shift
    ask "$node" STEP "$@" || cannot "n$node, STEP $*: $answer"
}

# lead I: n$I is elected by those who hear it. Somebody may have its vote of this term already: then it tries the next.
lead() {
    for try in 1 2 3; do
        step "$1" campaign
        if "$client" await "$port" --within 400 role=leader >"$dir/stat"; then return 0; fi
    done
    cannot "n$1 is not elected: $(cat "$dir/stat")"
}

# settle LAST [I...]: these, or all, have applied everything up to LAST.
settle() {
    last=$1
    shift
    # shellcheck disable=SC2086
    if [ $# -eq 0 ]; then set -- $numbers; fi
    for one; do await "$one" "applied=$last"; done
}

# beat I MS: heartbeats of n$I from now on.
beat() {
    ask "$1" TIMES $election "$2" || cannot "n$1 does not take its times: $answer"
}

# patience I MS: its election timeout from now on.
patience() {
    ask "$1" TIMES "$2" $heartbeat || cannot "n$1 does not take its times: $answer"
}

snapshot() {
    ask "$1" SNAPSHOT || cannot "n$1 takes no snapshot: $answer"
}

# tell I J: n$I, a leader whom n$J does not hear, tells it how far it has committed, and sends it no entries.
tell() {
    step "$1" dry
    join "$1" "$2"
    await "$2" "leader=$1"
    part "$1" "$2"
    step "$1" wet
}

# acted I: waits until n$I has said that it made the mistake.
acted() {
    real "$1"
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 over; do
        if grep -q "^bug $BUG\$" "$dir/n$real.out"; then return 0; fi
        [ $try != over ] || cannot "n$1 has not made the mistake"
        sleep 0.1
    done
}

# put I KEY VALUE: answered when it is committed.
put() {
    ask "$1" PUT "$2" "$3" || cannot "n$1 refuses $2=$3: $answer"
}

# puts I N: N commands.
puts() {
    port "$1"
    "$client" load "$port" --commands "$2" --window 1 >"$dir/load" || cannot "n$1 refuses commands: $(cat "$dir/load")"
}

# put_alone I KEY VALUE LAST, change_alone I LAST VERB ID [ADDRESS]: n$I, a leader who cannot commit, takes a command or a change of the
# members, which becomes its index LAST.
put_alone() {
    port "$1"
    "$client" send "$port" --within 300 PUT "$2" "$3" >"$dir/refused" 2>&1 &
    await "$1" "last=$4"
}

change_alone() {
    node=$1 last=$2 verb=$3
    real "$4"
    member=$real
    shift 4
    port "$node"
    "$client" send "$port" --within 300 "$verb" "$member" "$@" >"$dir/refused" 2>&1 &
    await "$node" "last=$last"
}

# put_late I KEY VALUE: n$I takes a command, which it does not append at once.
put_late() {
    port "$1"
    "$client" send "$port" --within 100 PUT "$2" "$3" >"$dir/refused" 2>&1 || true
}

# ---- what came of it ----

# applied I: sets $log to the commands it has applied.
applied() {
    port "$1"
    "$client" log "$port" >"$dir/log" || cannot "n$1 does not say what it applied"
    read -r log <"$dir/log" || log=
    echo "n$real applied [$log]"
}

# begins LONG SHORT: does one list of words begin with the other?
begins() {
    [ -n "$2" ] || return 0
    case "$1 " in "$2 "*) return 0 ;; esac
    return 1
}

# judge [I...]: ends the scenario. Two nodes differ if neither's commands begin with the other's.
judge() {
    differ=0 longest=
    # shellcheck disable=SC2086
    if [ $# -eq 0 ]; then set -- $numbers; fi
    for i; do
        applied "$i"
        if begins "$log" "$longest"; then longest=$log; elif ! begins "$longest" "$log"; then differ=1; fi
    done
    verdict "the state machines differ" $differ
}

# judge_state [I...]: ends the scenario. Two nodes differ if they have applied as much and are in other states.
judge_state() {
    differ=0 seen=
    # shellcheck disable=SC2086
    if [ $# -eq 0 ]; then set -- $numbers; fi
    for i; do
        ask "$i" STAT || cannot "n$i does not answer"
        for word in $answer; do
            case $word in applied=*) applied=${word#*=} ;; digest=*) digest=${word#*=} ;; esac
        done
        real "$i"
        echo "n$real applied $applied, digest $digest"
        case $seen in *" $applied $digest "*) ;; *" $applied "*) differ=1 ;; esac
        seen="$seen $applied $digest "
    done
    verdict "the state machines differ" $differ
}

# stale I KEY VALUE: ends the scenario. The answer of n$I to a read must be VALUE, if it gives one.
stale() {
    within=500
    ask "$1" GET "$2" || true
    stale_answer "$@"
}

# stale_later I KEY VALUE FROM: the same; the read is answered when what n$FROM said before is read.
stale_later() {
    port "$1"
    "$client" send "$port" --within $within GET "$2" >"$dir/read" 2>&1 &
    reader=$!
    await "$1" reads=1
    step "$1" release "$4"
    wait $reader || true
    read -r answer <"$dir/read" || answer=
    stale_answer "$@"
}

stale_answer() {
    echo "n$1 answers: $answer"
    case $answer in "VALUE $3" | ERR* | *"no answer"*) verdict "" 0 ;; esac
    verdict "n$1 answered a read with what is not so any more" 1
}

# verdict WORDS STATUS: ends the scenario.
verdict() {
    for file in "$dir"/n*.pid; do
        name=$(basename "$file" .pid)
        if [ -f "$file" ]; then node_stop "$name"; fi
    done
    [ "$2" -eq 0 ] || echo "FAIL: $1"
    exit "$2"
}
