#!/bin/sh
# drd triage tells apart what real clusters do: a violation, a crash, a hang and what kept the cluster, a failed check, a recording
# that was not finished, a test that passes on the same commit.
#   triage.sh BUILD SCRATCH
set -eu
export DRD_BUILD="${1:-}"
. "$(dirname "$0")/lib.sh"
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"
command -v jq >/dev/null || skip "no jq: see tests/lib/packages.sh"
begin
unset DRD_STORE CI_COMMIT_SHA GITHUB_SHA GIT_COMMIT
export XDG_CACHE_HOME="$dir/kept"
mkdir "$dir/runs"

# stops NAME [OPTION...]: a run of workload/stops.sh, which must end with $wanted. As if each were of a commit of its own.
stops() {
    name=$1
    shift
    got=0
    STOPS=${how:-$name} CI_COMMIT_SHA=$name "$drd" record -o "$dir/runs/$name.drd" "$@" -- sh "$cluster/workload/stops.sh" "$DRD_BUILD" \
        >"$dir/$name.said" 2>&1 || got=$?
    [ $got -eq "$wanted" ] || { cat "$dir/$name.said" >&2; fail "$name ended with $got, not $wanted"; }
}

# A busy machine may need the time for the scene itself.
hangs() {
    for seconds in 6 60; do
        rm -f "$dir/runs/$1.drd"
        wanted=124
        stops "$1" --timeout $seconds
        if grep -q 'now it hangs' "$dir/$1.said"; then return; fi
    done
    fail "$1: the scene was not set up"
}

# Somebody who is not recorded strikes a node.
strike() {
    for try in $(seq 600); do
        if [ -s "$dir/struck" ]; then break; fi
        sleep 0.1
    done
    kill -SEGV "$(cat "$dir/struck")"
}

# scene NAME BUG STATUS
scene() {
    got=0
    BUG=$2 CI_COMMIT_SHA=c0ffee "$drd" record -o "$dir/runs/$1.drd" -- sh "$cluster/raftkv/T20a.sh" "$DRD_BUILD" \
        >"$dir/$1.said" 2>&1 || got=$?
    [ $got -eq "$3" ] || { cat "$dir/$1.said" >&2; fail "$1 ended with $got, not $3"; }
}

waiting=
for name in quorum storm leader nobody; do
    hangs $name &
    waiting="$waiting $!"
done
for one in $waiting; do wait "$one"; done
wanted=0 stops well
wanted=1 stops fails
wanted=1 stops exit
how=crash wanted=1
STRUCK=$dir/struck stops crash1 &
strike
wait $!
rm "$dir/struck"
STRUCK=$dir/struck stops crash2 &
strike
wait $!
how=
scene bug1 T20a 1
TURN=1 MARKS=no scene bug2 T20a 1
head -c 100000 "$dir/runs/bug1.drd" >"$dir/runs/cut.drd"

# the recorder is killed in the middle
STOPS=nobody "$drd" record -o "$dir/runs/killed.drd" -- sh "$cluster/workload/stops.sh" "$DRD_BUILD" >"$dir/killed.said" 2>&1 &
recorder=$!
for try in $(seq 600); do
    if grep -q 'now it hangs' "$dir/killed.said"; then break; fi
    sleep 0.1
done
kill -9 $recorder
wait $recorder 2>/dev/null || true
# shellcheck disable=SC2046
kill -9 $(sed -n 's/^now it hangs: //p' "$dir/killed.said")

status=0
"$drd" triage --json "$dir/runs" >"$dir/json" || status=$?
[ $status -eq 1 ] || fail "drd triage ended with $status"

# is NAME KIND [TITLE]
is() {
    found=$(jq -r --arg name "/$1.drd" '(.runs[] | select(.path | endswith($name)) | [.kind, .fingerprint // ""]) as [$kind, $group]
        | $kind + ": " + (([.groups[] | select(.fingerprint.value == $group) | .title] + [""])[0])' "$dir/json")
    case "$found" in
    "$2: "*"${3:-}"*) ;;
    *) fail "$1 is $found, not $2: ${3:-}" ;;
    esac
}

is quorum hang "no majority of the nodes was running"
is storm hang "election after election, and no leader"
is leader hang "a leader, and nothing committed"
is nobody hang "no leader, and no election"
is well healthy
is fails check "that is not what was wanted"
is exit crash "raftkv ended with exit 1: raftkv: node N: log: its head is damaged"
is crash1 crash "raftkv ended with SIGSEGV"
is bug1 violation "a leader rewrote its own log"
is cut broken
is killed broken
jq -e '[.groups[] | select(.kind == "hang") | .count] == [1, 1, 1, 1]' "$dir/json" >/dev/null || fail "hangs in one group"
for pair in crash bug; do
    jq -e --arg a "/${pair}1.drd" --arg b "/${pair}2.drd" '[.runs[] | select(.path | endswith($a) or endswith($b)) | .fingerprint]
        | length == 2 and .[0] == .[1]' "$dir/json" >/dev/null || fail "${pair}1 and ${pair}2 are not one group"
done
jq -e '[.groups[].flaky] | any | not' "$dir/json" >/dev/null || fail "flaky, without a green run of the same test"

scene green none 0
"$drd" triage --json "$dir/runs" >"$dir/json" || true
jq -e '[.groups[] | select(.flaky)] | length == 1 and .[0].kind == "violation"' "$dir/json" >/dev/null ||
    fail "the test with both colours is not flaky"
"$drd" triage "$dir/runs" >"$dir/text" || true
grep -q 'NOT JUDGED .*killed.drd: its recorder was killed' "$dir/text" || fail "a run whose recorder was killed"
"$drd" fsck --repair "$dir/runs/killed.drd" >"$dir/repaired" 2>&1 || fail "fsck --repair: $(cat "$dir/repaired")"
if grep -q 'went on' "$dir/repaired"; then fail "a process that was killed is taken for alive: $(cat "$dir/repaired")"; fi
sed -n '/^[0-9]* runs/p' "$dir/text"
