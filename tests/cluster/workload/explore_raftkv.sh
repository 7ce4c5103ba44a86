#!/bin/sh
# raftkv, for drd explore: three to five servers with settings by chance, and a client that gives each of them a little to do while whatever
# the world wants happens to them; then all must be alike. Which faults there are, and when, is not said here: drd simulate --faults.
#   RAFTKV_BUG=ID   with a mistake     SECONDS_LONG (32, of the world: its faults end after 30)
set -eu
. "$(dirname "$0")/../lib.sh"
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"

# pick WORD...: sets $picked, by the next random byte.
pick() {
    rest=${bytes#* }
    shift $((${bytes%% *} % $#))
    bytes=$rest picked=$1
}

begin
# shellcheck disable=SC2046
bytes=$(echo $(od -An -N 8 -tu1 /dev/urandom))
pick 3 3 3 4 5
count=$picked joins=$((picked + 1)) options= members= ports=
pick "" "" --pre-vote
options="$options $picked"
pick 1 64
options="$options --batch $picked"
pick 16 64 1024
options="$options --snapshot $picked"
pick 0 4 128
options="$options --trailing $picked"
pick 50 500
options="$options --lazy $picked"
for i in 1 2 3 4 5 6; do
    [ $i -le $joins ] || break
    mkdirs="${mkdirs:-} $dir/n$i" ports=$ports${ports:+,}$((PORT + 7 + i))
    all=${all:-}${all:+,}127.0.0.1:$((PORT + i))
    if [ $i -le "$count" ]; then members=$all; fi
done
# shellcheck disable=SC2086
mkdir $mkdirs
for i in 1 2 3 4 5 6; do
    [ $i -le $joins ] || break
    echo "site$i" >"$dir/n$i/site"
    if [ $i -gt "$count" ]; then options="$options --join" members=$all; fi
    export RAFTKV_SITE="site$i"
    # shellcheck disable=SC2086
    node_start n$i "$nodes/raftkv" --id $i --dir "$dir/n$i" --members "$members" --client-port $((PORT + 7 + i)) $options
done
"$nodes/kv_probe" "$ports" --seconds "${SECONDS_LONG:-32}" --verbs "${VERBS:-put,incr,get,snapshot,member,transfer}" --members "$all"
