#!/bin/sh
# A protocol that DRD does not know, explained by marks alone: a run that is right, one that is wrong; the words of docs/marks.md.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record_and_judge marked 0
[ "$("$drd" log "$dir/marked.drd" --kind mark | grep -c 'mark apply')" -ge 8 ] || fail "marks are missing"

run=$dir/careless.drd
CARELESS=yes record "$run" sh "$cluster/workload/marked.sh"
cat "$run.said"
[ "$recorded" -eq 0 ] || fail "careless, recorded, ended with status $recorded"
replay "$run"
explain "$run" 1
cat "$run.explained"
# n2 overwrites what it had applied; whether that is seen before n3 applies another entry, stamps decide: its connections are
# closed before they are read.
verdict=$(sed -n 's/: n[12]\( and n[12]\)\{0,1\} applied/: n1 applied/;/^VERDICT/p' "$run.explained")
grep -qF "$verdict" "$cluster/../../docs/marks.md" || fail "docs/marks.md does not show this verdict: $verdict"
