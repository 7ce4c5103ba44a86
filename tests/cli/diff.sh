#!/bin/sh
# drd diff: what cannot be compared is refused in one line; options; a run against itself; a run against another.
#   diff.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.sh"

# node NAME TERM ENTRY: compiles a program that states a short life by marks.
node() {
    printf '#include <drd/drd.h>\nint main(void) { drd_node(1); drd_term(%s); drd_role(%s, DRD_LEADER); drd_append_entry(1, %s, "%s", %s);\n' \
        "$2" "$2" "$2" "$3" "${#3}" >node.c
    printf 'drd_commit(1); drd_apply(1, %s, 7); return 0; }\n' "$2" >>node.c
    cc -I"$root/include" node.c -o "$1" || { echo "no compiler here"; exit 77; }
}

run() {
    name=$1
    shift
    "$drd" record -o "$name.drd" -- "$@" >said 2>&1 || { cat said; echo "cannot record"; exit 1; }
}

mkdir one two
node one/server 2 x=A
node two/server 2 x=B
node other 2 x=A
node later 5 x=A
mkdir three
mv later three/server
run a env DRD_NODE=n1 one/server
run again env DRD_NODE=n1 one/server
run b env DRD_NODE=n1 two/server
run shifted env DRD_NODE=n1 three/server
run stranger env DRD_NODE=m7 one/server
run other env DRD_NODE=n1 ./other
run none env DRD_NODE=n1 true
: >empty.drd
head -c 1000 a.drd >cut.drd
cp a.drd newer.drd
printf '\143\143\143\143' | dd of=newer.drd bs=1 seek=60 conv=notrunc status=none

# ---- the same ----
expect 0 "$drd" diff a.drd a.drd
[ ! -s out ] || wrong "a run against itself says something"
expect 0 "$drd" diff --json a.drd a.drd
grep -q '"differs":false,"first":null' out || wrong "a run against itself, in JSON"
expect 0 "$drd" diff a.drd again.drd
expect 0 "$drd" diff a.drd shifted.drd
expect 0 "$drd" diff --exit-code a.drd again.drd
expect 0 "$drd" diff a.drd:n1 again.drd:n1

# ---- another ----
expect 1 "$drd" diff a.drd b.drd
grep -q '^  A  n1@.*appends "x=A" at index 1 (term 2)' out || wrong "what A did"
grep -q '^  B  n1@.*appends "x=B" at index 1 (term 2)' out || wrong "what B did"
grep -q '^> *1 .*x=A.*x=B' out || wrong "the logs"
[ "$(wc -l <out)" -le 60 ] || wrong "more than a screen"
expect 1 "$drd" diff --exit-code a.drd b.drd
expect 1 "$drd" diff --stat a.drd b.drd
grep -q '^ n1, log *| *1 - *1 +$' out || wrong "--stat"
expect 1 "$drd" diff -U 2 --node n1 --kind append a.drd b.drd
[ "$(grep -c '^  [-+] n1@' out)" -eq 2 ] || wrong "--kind append"
expect 0 "$drd" diff --kind vote a.drd b.drd
expect 0 "$drd" diff --ignore append a.drd b.drd
expect 0 "$drd" diff --ignore content a.drd b.drd
expect 1 "$drd" diff --ignore term a.drd b.drd
expect 1 "$drd" diff a.drd:n1 b.drd:n1
grep -q '^> *1 .*x=A.*x=B' out || wrong "two logs side by side"
expect 1 "$drd" diff --json a.drd b.drd
grep -q '"change":"changed"' out || wrong "--json"
if [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    printf 'import json, sys, jsonschema\njsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))\n' >valid.py
    cp out differs.json
    expect 0 /usr/bin/python3 valid.py "$root/docs/diff.schema.json" differs.json
fi

# ---- not to be compared ----
refuse 125 "drd: cannot compare these runs: no node of the same name is in both" "$drd" diff a.drd stranger.drd
refuse 125 "drd: cannot compare these runs: different programs: n1 is server in the one and other in the other" "$drd" diff a.drd other.drd
refuse 2 "drd: cannot compare these runs: no Raft in the second run*" "$drd" diff a.drd none.drd
refuse 2 "drd: cannot compare these runs: no Raft in both runs*" "$drd" diff none.drd none.drd
refuse 128 "drd: *nowhere.drd: No such file or directory*" "$drd" diff a.drd ./nowhere.drd
refuse 128 "drd: *not a DRD run*" "$drd" diff empty.drd a.drd
refuse 128 "drd: *damaged*" "$drd" diff a.drd cut.drd
refuse 128 "drd: *written by a newer drd*" "$drd" diff newer.drd a.drd
refuse 128 "drd: no such node: n9*" "$drd" diff --node n9 a.drd b.drd
refuse 128 "drd: no such node: n9*" "$drd" diff a.drd:n9 b.drd:n1
refuse 129 "drd: drd diff takes two runs, A B*" "$drd" diff a.drd
refuse 129 "drd diff: *" "$drd" diff a.drd b.drd a.drd
refuse 129 "drd: name a node on both sides*" "$drd" diff a.drd:n1 b.drd
refuse 129 "drd: no kind of event is called 'nosuch'*" "$drd" diff --kind nosuch a.drd b.drd
refuse 129 "drd: neither a kind nor a field is called 'nosuch'*" "$drd" diff --ignore nosuch a.drd b.drd
refuse 129 "drd*" "$drd" diff -U -3 a.drd b.drd
expect 128 sh -c "'$drd' diff a.drd b.drd >/dev/full"
grep -q "cannot write to stdout" err || wrong "a full disk"

# ---- another build ----
cp one/server one/copy
expect 0 "$drd" diff --with one/copy a.drd:n1
grep -q ': 1 process with .*/one/copy, [0-9]* events: follows the trace to the end$' out || wrong "the same program"
expect 1 "$drd" diff --with two/server a.drd
grep -q '^DEPARTS n1@[0-9]*  mark: another fact is stated' out || wrong "another entry"
grep -q '^  A  mark: appends "x=A" at index 1 (term 2)$' out || wrong "what the trace has"
grep -q '^  B  mark: appends "x=B" at index 1 (term 2)$' out || wrong "what the build states"
expect 1 "$drd" diff --with two/server --json a.drd
if [ -e valid.py ]; then
    cp out departs.json
    sed 's/argv\[2\]/argv[2]/' valid.py >valid_with.py
    expect 0 /usr/bin/python3 valid_with.py "$root/docs/diff.with.schema.json" departs.json
fi
expect 0 "$drd" diff --with one/server --json a.drd
grep -q '"departs":null' out || wrong "--with --json of the same program"
expect 1 "$drd" diff --with /bin/true a.drd:n1
grep -q '^DEPARTS n1@[0-9]*  asked for ' out || wrong "a program that does something else"
printf '#!/bin/sh\n' >script
chmod +x script
refuse 128 "drd: ./nowhere: No such file or directory*" "$drd" diff --with ./nowhere a.drd
refuse 125 "drd: --with wants a program, not a script*" "$drd" diff --with ./script a.drd
refuse 128 "drd: node.c: Permission denied*" "$drd" diff --with node.c a.drd
refuse 128 "drd: no such node: n9*" "$drd" diff --with one/server a.drd:n9
refuse 129 "drd: --with BINARY takes one run*" "$drd" diff --with one/server a.drd b.drd
refuse 129 "drd: --with takes RUN or RUN:NODE and --json*" "$drd" diff --with one/server --stat a.drd

# an unfinished run
"$drd" record -o half.drd -- sh -c 'echo $$ >node; exec sleep 60' >said 2>&1 &
recorder=$!
wait_for being_recorded half.drd
wait_for test -s node
{ kill -9 $recorder && wait $recorder; } 2>/dev/null || true
expect 125 "$drd" diff a.drd half.drd
grep -q "^drd: .*half.drd is not finished" err && [ "$(wc -l <err)" -eq 1 ] || wrong "an unfinished run"
expect 125 "$drd" diff --with one/server half.drd
grep -q "^drd: .*half.drd is not finished" err && [ "$(wc -l <err)" -eq 1 ] || wrong "--with an unfinished run"
kill "$(cat node)" 2>/dev/null || true
expect 0 "$drd" fsck --repair half.drd
leave
