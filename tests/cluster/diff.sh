#!/bin/sh
# A run that fails beside one that does not: drd diff begins with the decision that drd explain names as the cause, and two
# recordings of one calm scene differ in nothing that matters.
#   diff.sh BUILD SCRATCH
set -eu
export DRD_BUILD="${1:-}"
. "$(dirname "$0")/lib.sh"
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"
tools=$build/tests/tools
begin

# scene NAME ID [BUG]: recorded; one that a busy machine did not let be set up is set up again, but one that lacks its mistake.
scene() {
    for attempt in 1 2 3; do
        [ "$attempt" -eq 1 ] || echo "$1: once more"
        rm -f "$dir/$1.drd"
        export BUG="${3:-none}"
        record "$dir/$1.drd" sh "$cluster/raftkv/$2.sh"
        if [ "$recorded" -ne 2 ] || [ "$BUG" = none ]; then return 0; fi
    done
}

# compare A B STATUS: what it says is in $dir/diff.
compare() {
    got=0
    "$drd" diff "$dir/$1.drd" "$dir/$2.drd" >"$dir/diff" 2>&1 || got=$?
    [ $got -eq "$3" ] || { cat "$dir/diff" >&2; fail "drd diff of $1 and $2 ended with $got, not $3"; }
    [ "$(wc -l <"$dir/diff")" -le 60 ] || fail "drd diff of $1 and $2: more than a screen"
}

for id in T01a T07c T09b; do
    scene "$id" "$id" "$id"
    [ "$recorded" -eq 1 ] || { cat "$dir/$id.drd.said" >&2; fail "$id ended with $recorded"; }
    scene "$id.none" "$id"
    compare "$id.none" "$id" 1
    "$drd" diff --json "$dir/$id.none.drd" "$dir/$id.drd" >"$dir/json" || true
    "$drd" explain --no-source --json "$dir/$id.drd" >"$dir/explained" || true
    named=no
    if "$tools/parted" "$dir/explained" "$dir/json" >"$dir/events"; then named=yes; fi
    while read -r event _; do
        if "$tools/turn" "$dir/$id.drd" "$id" "$event" >/dev/null 2>&1; then named=yes; fi
    done <"$dir/events"
    [ $named = yes ] || { cat "$dir/diff" >&2; fail "$id: the first difference is neither in the chain nor where the mistake acted"; }
    compare "$id" "$id" 0
    [ ! -s "$dir/diff" ] || fail "$id differs from itself"
    echo "$id: first difference $(head -n 1 "$dir/events")"
    rm -f "$dir/$id".*drd*
done

# Elected at the first try, or not, is chance on a busy machine: the best of three.
scene calm T06c
[ "$recorded" -eq 0 ] || fail "a calm scene ended with $recorded"
same=no
for try in 1 2 3; do
    scene again T06c
    if "$drd" diff "$dir/calm.drd" "$dir/again.drd" >"$dir/diff" 2>&1; then same=yes; break; fi
done
[ $same = yes ] || { cat "$dir/diff" >&2; fail "two calm recordings differ, $try times"; }
