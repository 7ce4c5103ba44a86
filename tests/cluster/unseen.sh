#!/bin/sh
# What drd explain says of a failure of which it has not seen all: a node that is not recorded, one whose recording stopped, a
# recorder that was killed. It says what is missing and what that leaves open, and is never certain where that could matter.
#   unseen.sh BUILD SCRATCH
set -eu
export DRD_BUILD=${1:-}
. "$(dirname "$0")/lib.sh"
[ -x "$drd" ] || skip "no drd at $drd"
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"
tools=$build/tests/tools
begin

# Figure 8: n1 commits an entry of an earlier term, n2 replaces it; n3 acknowledged it to both.
for try in 1 2 3 4; do
    rm -f "$dir/run.drd" "$dir/run.drd-journal"
    status=0
    MARKS=no "$drd" record -o "$dir/run.drd" -- sh "$cluster/raftkv/T07a.sh" "$build" >"$dir/said" 2>&1 || status=$?
    [ "$status" -gt 1 ] || break
done
[ "$status" -eq 1 ] || { cat "$dir/said" >&2; fail "the scene could not be set up, $try times"; }

# explained STATUS RUN WORDS...: the exit status, and all the words.
explained() {
    wanted=$1 run=$2 got=0
    shift 2
    "$drd" explain --no-source "$run" >"$dir/said" 2>&1 || got=$?
    [ "$got" -eq "$wanted" ] || { cat "$dir/said" >&2; fail "$run: status $got, not $wanted"; }
    for words in "$@"; do
        grep -q -e "$words" "$dir/said" || { cat "$dir/said" >&2; fail "$run: does not say '$words'"; }
    done
}

lost() { # lost NODE [end]: the run without it
    cp "$dir/run.drd" "$dir/lost.drd"
    "$tools/lose" "$dir/lost.drd" "$@" || fail "lose $*"
}

explained 1 "$dir/run.drd" "^VERDICT  *State Machine Safety broken" "^CAUSE  *n1, leader .*T07"
if grep -q "^NOT SEEN" "$dir/said"; then fail "all was seen"; fi

# without the node that made the mistake nothing broke that anybody saw
lost n1
explained 2 "$dir/lost.drd" "^VERDICT  *unknown" '^NOT SEEN  *the node with id "1" is not recorded'

# what n2 did follows from what n3 says of it
lost n2
explained 1 "$dir/lost.drd" "^VERDICT  *State Machine Safety broken .*(inferred)" "^CAUSE  *likely: n1, leader .*T07" \
    "not certain: " "heard there, not recorded" '^NOT SEEN  *the node with id "2" is not recorded'

# n3 may have voted or acknowledged as it should not
lost n3
explained 1 "$dir/lost.drd" "^VERDICT  *State Machine Safety broken" "^CAUSE  *likely: n1, leader .*T07" \
    'not certain: the node with id "3" is not recorded: whether it broke a rule before' '^NOT SEEN  *the node with id "3"'

for n in n1 n2 n3; do
    lost $n end
    explained 1 "$dir/lost.drd" "^CAUSE  *likely: n1, leader .*T07" "not certain: $n is not recorded to its end" \
        "^NOT SEEN  *$n is not recorded to its end"
done
echo "without a node, and with half of one: said, and not certain"

# ---- the recorder is killed while the cluster goes on ----
KILL=no COMMANDS=20000 RATE=2000 "$drd" record -o "$dir/killed.drd" --only raftkv -- \
    sh "$cluster/workload/raftkv.sh" >"$dir/said" 2>&1 &
recorder=$!
poll() { # poll COMMAND...: until it succeeds, a minute at most
    tries=600
    until "$@" >"$dir/polled" 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { cat "$dir/polled" >&2; fail "$*: not within a minute"; }
        sleep 0.1
    done
}
has_begun() { [ -s "$dir/killed.drd" ] && [ "$(wc -c <"$dir/killed.drd")" -gt 65536 ]; }
poll has_begun
{ kill -9 $recorder && wait $recorder; } 2>/dev/null || true
explained 2 "$dir/killed.drd" "^VERDICT  *unknown" \
    "^NOT SEEN  *the run is not finished: it is being recorded, or its recorder was killed"
grep "^NOT SEEN" "$dir/said"

# finished while the nodes go on: what they do from then on nobody sees
poll "$drd" fsck --repair "$dir/killed.drd"
explained 2 "$dir/killed.drd" "^VERDICT  *unknown" "^NOT SEEN  *the run is incomplete: recording stopped before the cluster did" \
    "n1 is not recorded to its end"
grep "^NOT SEEN" "$dir/said"
