#!/bin/sh
# The planted mistakes of raftkv do what they are there for: each scenario of tests/cluster/raftkv ends as it says, the mark
# "bug ID" shows that the mistake acted, every process replays, and where nodes differ at the end drd explain says so.
#   raftkv_bugs.sh BUILD SCRATCH     ALL=1: all of them, IDS="T07a T01b": these; a handful otherwise
set -eu
export DRD_BUILD="${1:-}"
. "$(dirname "$0")/lib.sh"
[ -x "$nodes/raftkv" ] || skip "no raftkv in $nodes"
table=$cluster/../nodes/raftkv/bugs.def
if [ -n "${ALL:-}" ]; then IDS=$(sed -n 's/^BUG(\([^,]*\),.*/\1/p' "$table"); fi
IDS=${IDS:-T01a T05a T07a T09b T10a T14b T15b T24a}

# expected ID: the status that the head of the scenario promises.
expected() {
    sed -n '1,5s/^# .*Status \([012]\).*/\1/p' "$cluster/raftkv/$1.sh"
}

# scenario ID: recorded; a scene that a busy machine did not let be set up is set up again.
scenario() {
    for try in 1 2 3; do
        rm -f "$dir/$1.drd"
        record "$dir/$1.drd" sh "$cluster/raftkv/$1.sh"
        [ "$recorded" -eq 2 ] || break
    done
}

begin
for id in $IDS; do
    scenario "$id"
    [ "$recorded" -eq "$(expected "$id")" ] || { cat "$dir/$id.drd.said" >&2; fail "$id ended with $recorded"; }
    "$build/tests/tools/turn" "$dir/$id.drd" "$id" >"$dir/acts" || fail "$id: the mistake did not act"
    replay "$dir/$id.drd"
    if [ "$recorded" -eq 1 ]; then explain "$dir/$id.drd" 1; fi
    echo "$id: status $recorded, acted at $(cut -d ' ' -f 2 "$dir/acts" | head -n 3 | tr '\n' ' ')"
    rm -f "$dir/$id.drd" "$dir/$id.drd".*
done
