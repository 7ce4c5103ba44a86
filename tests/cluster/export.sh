#!/bin/sh
# A cluster recorded with its clients, exported: the history of the clients is whole, every format is what its reader takes, and
# ten times the messages need no more memory. The leader is killed in one of the runs.
#   export.sh [BUILD]
set -eu
. "$(dirname "$0")/lib.sh"
begin
python=/usr/bin/python3
[ -x "$build/tests/tools/measure" ] || fail "no tests/tools/measure"
export SNAPSHOT=100000000 RATE=0 WINDOW=16

# record RUN COMMANDS KILL OPTION...
record() {
    run=$1 commands=$2 kill=$3
    shift 3
    COMMANDS=$commands KILL=$kill "$drd" record -o "$run" "$@" -- sh "$cluster/workload/raftkv.sh" "$build" >"$dir/said.out" 2>&1 ||
        fail "the workload"
}

check() {
    "$python" "$cluster/../tools/export_check.py" "$1" "$2" >"$dir/checked.out" 2>&1 || fail "$1: $(tail -n 3 "$dir/checked.out")"
}

# peak FORMAT RUN: KiB, of what it wrote to $dir/FORMAT
peak() {
    rm -f "$dir/measured"
    "$build/tests/tools/measure" "$dir/measured" "$drd" export -f "$1" -o "$dir/$1" "$2" 2>"$dir/err" || fail "$1 $2: $(cat "$dir/err")"
    sed -n 's/.*peak_kb=\([0-9]*\).*/\1/p' "$dir/measured"
}

record "$dir/killed.drd" 600 yes
"$drd" export -f jepsen -o "$dir/history.edn" "$dir/killed.drd" 2>"$dir/err" || fail "jepsen: $(cat "$dir/err")"
[ ! -s "$dir/err" ] || fail "jepsen says: $(cat "$dir/err")"
check jepsen "$dir/history.edn"
asked=$(grep -c ':type :invoke' "$dir/history.edn")
[ "$asked" -ge 600 ] || fail "$asked operations of 600"
ok=$(grep -c ':type :ok' "$dir/history.edn")
# A leader killed inside a send has answered, and no record of it: what its clients then had under way stays :info.
[ "$ok" -ge $((600 - WINDOW)) ] || fail "$ok of 600 operations are done"
for format in shiviz chrome tla; do
    "$drd" export -f $format -o "$dir/killed.$format" "$dir/killed.drd" 2>/dev/null || fail "$format"
    check $format "$dir/killed.$format"
done
grep -q '^is killed by signal 9$' "$dir/killed.shiviz" || fail "shiviz: nobody is killed"
[ "$(grep -c '"name":"InitState"' "$dir/killed.tla")" -ge 4 ] || fail "tla: no restart"

# A message has its memory until it is received; what is kept of a run is the cluster's state.
record "$dir/small.drd" 500 no
record "$dir/large.drd" 5000 no
for format in shiviz chrome pcapng tla jepsen; do
    small=$(peak $format "$dir/small.drd") bytes=$(wc -c <"$dir/$format")
    large=$(peak $format "$dir/large.drd")
    [ "$(wc -c <"$dir/$format")" -gt $((4 * bytes)) ] || fail "$format: the large run is no larger"
    [ "$large" -le $((small + 6144)) ] || fail "$format: $small KiB for a small run, $large for one ten times as large"
    echo "$format: $small and $large KiB"
done
rm -f "$dir/measured"
"$build/tests/tools/measure" "$dir/measured" "$drd" log --graph "$dir/large.drd" >"$dir/graph"
[ "$(sed -n 's/.*peak_kb=\([0-9]*\).*/\1/p' "$dir/measured")" -le $((small + 6144)) ] || fail "log --graph: $(cat "$dir/measured")"
