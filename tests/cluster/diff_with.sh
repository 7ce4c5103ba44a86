#!/bin/sh
# drd diff --with: nodes of a run, re-driven with other builds of their program. One in which nothing that matters changed
# follows the trace to the end, though all its addresses are others; one with a mistake departs where it decides otherwise.
#   diff_with.sh BUILD SCRATCH
set -eu
export DRD_BUILD="${1:-}"
. "$(dirname "$0")/lib.sh"
[ -x "$nodes/raftkv_T07a" ] || skip "no raftkv in $nodes"
begin

# with STATUS RUN BUILD: what it says is in $dir/said.
with() {
    got=0
    "$drd" diff --with "$nodes/$3" "$2" >"$dir/said" 2>&1 || got=$?
    [ $got -eq "$1" ] || { cat "$dir/said" >&2; fail "drd diff --with $3 $2 ended with $got, not $1"; }
}

says() {
    grep -q "$1" "$dir/said" || { cat "$dir/said" >&2; fail "not said: $1"; }
}

# A correct server. The same source; code that is never called and another optimization; no mistakes to choose from.
BUG=none record "$dir/none.drd" sh "$cluster/raftkv/T07a.sh"
for build in raftkv raftkv_moved raftkv_correct; do
    with 0 "$dir/none.drd" $build
    says 'follow the trace to the end'
done

# A mistake that was not there: the leader commits an entry of an earlier term, and states so.
with 1 "$dir/none.drd:n1" raftkv_T07a
says '^DEPARTS n1@[0-9]*  '
says '^  B  mark: commits to index'
says '^SOURCE commit_raise replication.c:[0-9]*  <- commit_advance replication.c:[0-9]*'
event=$(sed -n 's/^DEPARTS \([^ ]*\) .*/\1/p' "$dir/said")
"$drd" show "$dir/none.drd@$event" >/dev/null || fail "$event is no event of the run"

# The mistake was there, and is not any more.
BUG=T07a record "$dir/bug.drd" sh "$cluster/raftkv/T07a.sh"
with 1 "$dir/bug.drd:n1" raftkv_correct
says '^DEPARTS n1@[0-9]*  '
says '^  A  mark'
with 0 "$dir/bug.drd:n1" raftkv_moved

# libraft leaves bytes in its messages that it never wrote, addresses among them: they mean nothing.
[ -x "$nodes/libraft_kv_moved" ] || exit 0
export COMMANDS=200 RATE=0 WINDOW=4
record "$dir/libraft.drd" sh "$cluster/workload/libraft.sh"
[ "$recorded" -eq 0 ] || { cat "$dir/libraft.drd.said" >&2; fail "the workload ended with $recorded"; }
with 0 "$dir/libraft.drd" libraft_kv_moved
says 'other bytes of the same meaning'
cat "$dir/said"
