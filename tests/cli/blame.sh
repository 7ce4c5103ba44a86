#!/bin/sh
# drd blame on the runs of traces/: marks, files and messages; two entries at an index; the page; what is refused.
#   blame.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.sh"
cp "$root"/traces/T07.drd "$root"/traces/T02.drd "$root"/traces/T25.drd .

# says WORDS: a line of out has them.
says() {
    grep -q -- "$1" out || wrong "no line has: $1"
}

# Figure 8, by files and marks: the page shows it
expect 0 "$drd" blame T07.drd 2
sed 's/^\(.\)/    \1/' out >block
awk -v lines="$(wc -l <block)" '/^    \$ drd blame T07.drd 2/ { on = 1; next } on && n < lines { print; n++ }' \
    "$root/docs/drd-blame.md" >shown
cmp -s block shown || { diff shown block; wrong "docs/drd-blame.md does not show what is said"; }
says "2 different entries"
says 'lost .*s2: .*'
says "NO entry of term 14 on a majority"
[ "$(grep -c "NO entry" out)" -eq 1 ] || wrong "the second commit broke no rule"

# marks and messages; a double leader whose follower acknowledged another entry
expect 0 "$drd" blame T02.drd 3
says 'request .*r13 .*answered n2@'
says 'n3, which held "x=B" (term 2), to n1'

# ovsdb: messages and files
expect 0 "$drd" blame T25.drd 6
says '^"kv .*(term 1)$'
says "^no-op\|^\"no-op\" (term 2)$"

expect 0 "$drd" blame --json T07.drd 2
cp out blame.json
cat >check.py <<'E2'
import json
r = json.load(open("blame.json"))
assert r["schema"] == "drd.blame/1" and r["index"] == 2 and r["complete"]
a, b = sorted(r["entries"], key=lambda e: e["term"])
assert (a["term"], b["term"]) == (2, 5)
assert a["proposed"]["node"] == "s0" and b["proposed"]["node"] == "s1"
assert a["committed"][0]["by"] == ["s0", "s2"] and not a["committed"][0]["with_own_term"]
assert b["committed"][0]["by"] == ["s1", "s2"] and b["committed"][0]["with_own_term"]
assert a["lost"][0]["node"] == "s2" and a["at_the_end"] == ["s0"] and sorted(b["at_the_end"]) == ["s1", "s2"]
assert a["acknowledged"][0]["received"]["node"] == "s0"
E2
expect 0 /usr/bin/python3 check.py

# what is refused
cp T07.drd run.drd
for index in 0 -1 x 2x 99999999999999999999999 ''; do
    refuse 129 "drd*" "$drd" blame run.drd "$index"
done
refuse 129 "drd*" "$drd" blame
refuse 129 "drd*" "$drd" blame run.drd 2 3
refuse 5 "drd: no entry was seen at index 99 (the logs reach 3)" "$drd" blame run.drd 99
refuse 5 "drd: no entry was seen at index 18446744073709551615 *" "$drd" blame run.drd 18446744073709551615
refuse 128 "drd: *nowhere.drd*" "$drd" blame ./nowhere.drd 2
head -c $(($(wc -c <run.drd) / 2)) run.drd >half.drd
refuse 128 "drd: *damaged*" "$drd" blame ./half.drd 2
"$drd" record -o calm.drd -- /bin/echo hello >said 2>&1 || wrong "cannot record"
refuse 5 "drd: no Raft in this run*" "$drd" blame calm.drd 1
leave
