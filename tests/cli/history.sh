#!/bin/sh
# drd tag, notes and gc: names for runs, words in them, and which of them go.
#   history.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"
unset DRD_STORE

refuse 128 "drd: *no such run: first*" "$drd" show first
refuse 128 "drd: no such run: @ *" "$drd" tag first
expect 0 "$drd" tag
[ ! -s out ] || wrong "tags without a store"
expect 0 "$drd" gc
[ "$(cat out)" = "0 runs deleted, 0 bytes; 0 kept, 0 bytes" ] || wrong "gc without a store"

for word in one two three four; do
    "$drd" record -- /bin/echo $word >said 2>&1 || { cat said; wrong "cannot record"; }
done
# Their names say when they were begun: as old as they please.
cd .drd/runs
age=2019
for file in *; do
    age=$((age + 1))
    mv "$file" "${age}0101T000000000-${file#*-}"
done
cd ../..

# id REFERENCE: of that run
id() {
    "$drd" show "$1" | sed -n 's/^run  *\([0-9a-f]*\) .*/\1/p'
}
four=$(id @) three=$(id @~1) two=$(id @~2) one=$(id @~3)

# ---- tags ----
expect 0 "$drd" tag last
expect 0 "$drd" tag second "$two"
[ "$(id second)" = "$two" ] || wrong "the tag is another run"
[ "$(id last)" = "$four" ] || wrong "a tag without a run is the latest"
expect 0 "$drd" log "second@echo#1@1"
expect 0 "$drd" fsck second
expect 0 "$drd" replay second
refuse 128 "drd: there is a tag 'second' already*" "$drd" tag second @
[ "$(id second)" = "$two" ] || wrong "the tag was moved"
expect 0 "$drd" tag --force last second
[ "$(id last)" = "$two" ] || wrong "the tag was not moved"
expect 0 "$drd" tag
[ "$(awk '{ print $1, $2 }' out)" = "last $two
second $two" ] || wrong "the list of tags"
grep -q "/bin/echo two" out || wrong "the list does not say what was run"
expect 0 "$drd" tag --json
jq -e --arg run "$two" '.schema == "drd.tag/1" and [.tags[].tag] == ["last", "second"] and all(.tags[]; .run == $run and .exists)' \
    out >said || wrong "the JSON of the tags"
expect 0 "$drd" tag -d last
refuse 128 "drd: no such tag: last" "$drd" tag -d last
refuse 128 "drd: no such run: last*" "$drd" show last
refuse 129 "drd: --delete wants*" "$drd" tag -d
refuse 129 "drd: --delete wants*" "$drd" tag -d second @
for name in "" ../x .x -- -x a/b 'a b' @ 7f abcdef0 "$(printf '%065d' 0)"; do
    refuse 129 "drd*" "$drd" tag -- "$name"
done
expect 0 "$drd" tag abcdef01 @
expect 0 "$drd" tag -d abcdef01
cp ".drd/runs/20230101T000000000-$four.drd" copy.drd
refuse 128 "drd: copy.drd: not a run of this store*" "$drd" tag mine copy.drd
refuse 128 "drd: no such tag: ../runs" "$drd" tag -d ../runs
printf '/etc/passwd\n' >.drd/tags/evil
printf '../../../etc/passwd\n' >.drd/tags/evil2
head -c 100000 /dev/zero >.drd/tags/zeros
mkfifo .drd/tags/pipe
for name in evil evil2 zeros pipe; do
    refuse 128 "drd: no such run: $name*" "$drd" show $name
done
expect 0 "$drd" tag
[ "$(wc -l <out)" -eq 1 ] || wrong "what is no tag is listed"
rm .drd/tags/[epz]*
: >second
refuse 128 "drd: second: not a DRD run" "$drd" show second # a file goes before a tag
rm second

# ---- notes ----
expect 0 "$drd" notes
[ ! -s out ] || wrong "notes that nobody wrote"
expect 0 "$drd" notes "$three" -m "seen on ci-7 too"
expect 0 "$drd" notes "$three" -m "fixed by 1a2b3c"
expect 0 "$drd" notes @~1
[ "$(cat out)" = "seen on ci-7 too

fixed by 1a2b3c" ] || wrong "the notes"
expect 0 "$drd" notes @~1 --json
jq -e '.schema == "drd.notes/1" and .notes == "seen on ci-7 too\n\nfixed by 1a2b3c"' out >said || wrong "the JSON of the notes"
expect 0 "$drd" show @~1
grep -q '^notes  *seen on ci-7 too \.\.\.$' out || wrong "show does not show the notes"
expect 0 "$drd" fsck @~1
expect 0 "$drd" notes -d @~1
expect 0 "$drd" notes @~1
[ ! -s out ] || wrong "the notes are still there"
refuse 129 "drd: --message adds*" "$drd" notes -d -m x
refuse 129 "drd: --message has no text" "$drd" notes -m ""
refuse 128 "drd: the notes of a run*" "$drd" notes -m "$(head -c 65536 /dev/zero | tr '\0' x)"
refuse 128 "drd: *nowhere.drd*" "$drd" notes ./nowhere.drd -m x
head -c 4096 /dev/urandom >noise.drd
refuse 128 "drd: *not a DRD run*" "$drd" notes noise.drd

# ---- gc ----
for wrong_limit in "" 0 -1 x 1x 30dd 99999999999999999999 99999999999999999d; do
    refuse 129 "drd*--keep*" "$drd" gc --keep="$wrong_limit"
done
expect 0 "$drd" gc
[ "$(ls .drd/runs | wc -l)" -eq 4 ] || wrong "gc without a limit deletes of four runs"
expect 0 "$drd" gc --keep 1 --dry-run
[ "$(sed -n 's/^would delete \([0-9a-f]*\) .* old$/\1/p' out)" = "$three
$one" ] || wrong "the dry run: the latest stays, and the tagged one"
grep -q "^2 runs would be deleted, .*; 2 kept, .* (1 tagged)$" out || wrong "the sum of the dry run"
[ "$(ls .drd/runs | wc -l)" -eq 4 ] || wrong "the dry run deleted"
expect 0 "$drd" gc --keep 1d -n --json
jq -e '.schema == "drd.gc/1" and .dry_run and [.runs[].result] == ["deleted", "deleted", "tagged", "deleted"]' out >said ||
    wrong "by age"
years=$(($(date +%Y) - 2021)) # two years and a bit more than those of 2022 and 2023
expect 0 "$drd" gc --keep $((years * 366))d -n --json
jq -e '[.runs[].result] == ["kept", "kept", "tagged", "deleted"]' out >said || wrong "by age, some"
size=$(wc -c <".drd/runs/20230101T000000000-$four.drd")
expect 0 "$drd" gc --keep "$((size / 1024 + 1))K" -n --json
jq -e '[.runs[].result] == ["kept", "deleted", "tagged", "deleted"]' out >said || wrong "by size"

# Being recorded, and left by a killed recorder
"$drd" record -- sh -c ': >here; while [ ! -e go ]; do sleep 0.05; done' >said 2>&1 &
recorder=$!
wait_for test -e here
expect 0 "$drd" gc --keep 1d --json -n
jq -e '.runs[0].result == "in use"' out >said || wrong "a run that is being recorded"
: >go
wait $recorder || wrong "the recording failed"
rm go here
expect 0 "$drd" gc --keep 2 --json
jq -e '(.dry_run | not) and [.runs[].result] == ["kept", "kept", "deleted", "tagged", "deleted"]' out >said || wrong "gc"
[ ! -e ".drd/runs/20200101T000000000-$one.drd" ] && [ ! -e ".drd/runs/20220101T000000000-$three.drd" ] || wrong "not deleted"
expect 0 "$drd" replay second
"$drd" record -- sh -c 'echo $$ >node; : >here; exec sleep 60' >said 2>&1 &
recorder=$!
wait_for test -e here
{ kill -9 $recorder && wait $recorder; } 2>/dev/null || true
kill "$(cat node)"
expect 0 "$drd" gc --keep 1d --json -n
jq -e '.runs[0].result == "unfinished"' out >said || wrong "a run whose recorder was killed"
expect 0 "$drd" fsck --repair @
rm ".drd/runs/20210101T000000000-$two.drd"
expect 0 "$drd" tag
grep -q "^second  *its run is gone: " out || wrong "a tag without its run"
refuse 128 "drd: no such run: second*" "$drd" show second
expect 0 "$drd" tag -d second
leave
