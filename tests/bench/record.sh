#!/bin/sh
# What recording costs, and what it is compared with. All ways are taken in turn, round by round, so that what else the
# machine does falls on all of them; medians of all rounds, ratios to native of the same round.
#   record.sh [BUILD]     ROUNDS (default 5), SCALE (percent of the commands, default 100), MODES, CELLS
# Programs: ovsdb-server and a server on libraft, three nodes each, the client not recorded.
set -eu
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5} SCALE=${SCALE:-100}
MODES=${MODES:-native record strace tcpdump} CELLS=${CELLS:-ovsdb/1 ovsdb/16 libraft/1 libraft/16}
PATH=$PATH:/usr/sbin
PORT=${PORT:-$((31000 + $$ % 60 * 16))} # tcpdump must know
export PORT
export SNAPSHOT=100000000 # libraft's snapshots stop the server for 40 ms each, recorded or not
results=$scratch/results

# How many commands make about two seconds, natively, of a program with a window.
commands() {
    case $1/$2 in
    ovsdb/1) n=2500 ;; ovsdb/16) n=4000 ;; libraft/1) n=8000 ;; *) n=30000 ;;
    esac
    if [ "$3" = strace ]; then n=$((n / 4)); fi
    echo $((n * SCALE / 100))
}

program() {
    case $1 in ovsdb) echo ovsdb-server ;; *) echo libraft_kv ;; esac
}

# The bytes that a way of watching left behind.
left_behind() {
    du -bc "$scratch"/left/* 2>/dev/null | tail -n 1 | cut -f 1
}

under() {
    mode=$1 name=$2
    case $mode in
    native) sh "$workload/$name.sh" ;;
    record) "$drd" record -o "$scratch/left/run.drd" --only "$(program "$name")" -- sh "$workload/$name.sh" ;;
    strace) BENCH_STRACE=$scratch/left NODE_WRAP="sh $bench/under_strace.sh" sh "$workload/$name.sh" ;;
    tcpdump)
        tcpdump -i lo -s 0 -w "$scratch/left/pcap" portrange $PORT-$((PORT + 15)) 2>/dev/null &
        dumper=$!
        ended=0
        sh "$workload/$name.sh" || ended=$?
        kill $dumper
        wait $dumper || true
        return $ended ;;
    esac
}

usable() {
    case $1 in
    strace | tcpdump) command -v "$1" >/dev/null ;;
    record) [ -x "$drd" ] ;;
    esac
}

# One load: a line "cell mode round rate p99 bytes commands" in the results.
cell() {
    name=${1%/*} window=${1#*/} mode=$2 round=$3
    rm -rf "$scratch/left"
    mkdir "$scratch/left"
    count=$(commands "$name" "$window" "$mode")
    export KILL=no RATE=0 COMMANDS="$count" WINDOW="$window"
    if ! under "$mode" "$name" >"$scratch/said" 2>&1; then
        echo "$1 $mode round $round failed:" >&2
        tail -n 5 "$scratch/said" >&2
        return
    fi
    echo "$1 $mode $round $(field rate <"$scratch/said") $(field p99_us <"$scratch/said") $(left_behind) $count" >>"$results"
}

# Medians of one cell and mode: rate, ratio to native, p99, ratio, bytes a command.
summary() {
    grep "^$1 native " "$results" >"$scratch/native" || true
    grep "^$1 $2 " "$results" >"$scratch/other" || true
    if [ ! -s "$scratch/other" ]; then return; fi
    awk 'NR == FNR { rate[$3] = $4; p99[$3] = $5; next } rate[$3] { print $4 / rate[$3], $5 / p99[$3] }' \
        "$scratch/native" "$scratch/other" >"$scratch/ratio"
    rates=$(cut -d ' ' -f 4 "$scratch/other" | sort -n)
    printf '%-11s %-8s %9.0f  (%s..%s) %6.2f %9.2f %6.2f %8.0f\n' "$1" "$2" "$(cut -d ' ' -f 4 "$scratch/other" | median)" \
        "$(echo "$rates" | head -n 1)" "$(echo "$rates" | tail -n 1)" "$(cut -d ' ' -f 1 "$scratch/ratio" | median)" \
        "$(awk '{ print $5 / 1000 }' "$scratch/other" | median)" "$(cut -d ' ' -f 2 "$scratch/ratio" | median)" \
        "$(awk '{ print $6 / $7 }' "$scratch/other" | median)"
}

# Replay of a recording: medians of ROUNDS, all nodes and one by one.
replay_times() {
    name=$1 rate=$2 count=$3 label=$4
    rm -f "$scratch/run.drd"
    KILL=no RATE=$rate COMMANDS=$count WINDOW=16 "$drd" record -o "$scratch/run.drd" --only "$(program "$name")" -- \
        sh "$workload/$name.sh" >"$scratch/said" 2>&1 || { tail -n 5 "$scratch/said" >&2; return; }
    : >"$scratch/all"
    : >"$scratch/one"
    for _ in $(seq "$ROUNDS"); do
        "$drd" replay --json "$scratch/run.drd" >"$scratch/json" || { cat "$scratch/json" >&2; return; }
        member duration_ns <"$scratch/json" >>"$scratch/all"
        for node in n1 n2 n3; do
            "$drd" replay --json -n $node "$scratch/run.drd" | member duration_ns >>"$scratch/one"
        done
    done
    recorded=$(member recorded_ns <"$scratch/json")
    awk -v n="$name" -v l="$label" -v e="$(member events <"$scratch/json")" -v r="$recorded" \
        -v a="$(median <"$scratch/all")" -v o="$(median <"$scratch/one")" 'BEGIN {
            printf "%-8s %-10s %9d events  recorded %6.2f s  replayed %5.2f s  %5.1f times faster  one node %5.2f s\n",
                   n, l, e, r / 1e9, a / 1e9, r / a, o / 1e9 }'
}

machine
wanted=
for mode in $MODES; do
    if [ "$mode" = native ] || usable "$mode"; then wanted="$wanted $mode"; else echo "no $mode here: left out" >&2; fi
done
: >"$results"
for round in $(seq "$ROUNDS"); do
    for c in $CELLS; do
        for mode in $wanted; do cell "$c" "$mode" "$round"; done
    done
done
echo "program/win way      commands/s  (least..most)  ratio    p99 ms  ratio bytes/command"
for c in $CELLS; do
    for mode in $wanted; do summary "$c" "$mode"; done
done
case $wanted in *record*) ;; *) exit 0 ;; esac
echo
for name in ovsdb libraft; do
    replay_times $name 100 1000 "100/s"
    replay_times $name 0 "$(commands $name 16 record)" saturated
done
