#!/bin/sh
# What a replay must find, and what it must not need to: a recording that lies, a damaged file, another build of a program.
#   negative.sh BUILD SCRATCH
set -eu
export DRD_BUILD=${1:-}
. "$(dirname "$0")/lib.sh"
[ -x "$drd" ] || skip "no drd at $drd"
[ -x "$nodes/libraft_kv" ] || skip "no libraft server in $nodes"
tools=$build/tests/tools
begin

# says STATUS WORDS... COMMAND after --: the exit status, and all words in what it says.
says() {
    wanted=$1
    shift
    : >"$dir/words"
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>"$dir/words"
        shift
    done
    shift
    got=0
    "$@" >"$dir/said" 2>&1 || got=$?
    [ "$got" -eq "$wanted" ] || { cat "$dir/said" >&2; fail "$*: status $got, not $wanted"; }
    while IFS= read -r words; do
        grep -q -e "$words" "$dir/said" || { cat "$dir/said" >&2; fail "$*: does not say '$words'"; }
    done <"$dir/words"
}

# ---- a program that copies what it reads: the lie must come out at its next write ----
printf 'one line of text\nanother of them\n' >"$dir/text"
"$drd" record -o "$dir/cat.drd" -- /bin/cat "$dir/text" >/dev/null 2>"$dir/said" || { cat "$dir/said" >&2; fail "recording cat"; }
says 0 "identical to the end" -- "$drd" replay "$dir/cat.drd"
cp "$dir/cat.drd" "$dir/lie.drd"
node=$("$drd" replay --json "$dir/cat.drd" | sed -n 's/.*"node":"\([^"]*\)".*/\1/p')
event=$("$tools/falsify" "$dir/lie.drd" "$node" another) || fail "nothing to falsify in cat"
says 0 -- "$drd" fsck "$dir/lie.drd"
says 1 "^$node diverged at $node@[0-9]" "expected .*another" "got .*\`nother" -- "$drd" replay "$dir/lie.drd"
shown=$(sed -n "s/^$node diverged at $node@\([0-9]*\),.*/\1/p" "$dir/said")
[ "$shown" -gt "${event#*@}" ] || fail "diverged at $shown, before the lie at $event"
# up to the lie, and after it up to the write, nothing differs
says 0 "identical up to there" -- "$drd" replay "$dir/lie.drd" --until "$node@$shown"
says 1 '"verdict":"diverged"' '"call":"write"' -- "$drd" replay --json "$dir/lie.drd"
echo "a lie at $event of cat comes out at $node@$shown"

# ---- nodes that were told another value, the leader by its client, the others by the leader: the lie comes out where they
# send or store it ----
KILL=no RATE=0 COMMANDS=300 WINDOW=4 "$drd" record -o "$dir/kv.drd" --only libraft_kv -- sh "$cluster/workload/libraft.sh" \
    >"$dir/said" 2>&1 || { cat "$dir/said" >&2; fail "recording libraft"; }
says 0 "identical to the end" -- "$drd" replay "$dir/kv.drd"
for n in n1 n2 n3; do
    cp "$dir/kv.drd" "$dir/lie.drd"
    event=$("$tools/falsify" "$dir/lie.drd" $n v200) || fail "$n was never told v200"
    says 1 "^$n diverged at $n@[0-9]" "^ *expected " "^ *got " -- "$drd" replay "$dir/lie.drd"
    echo "a lie at $event: $(head -n 1 "$dir/said")"
done

# ---- one flipped bit anywhere in the file is found without a replay ----
size=$(wc -c <"$dir/kv.drd")
flips=0
at=17
while [ "$at" -lt "$size" ]; do
    cp "$dir/kv.drd" "$dir/flipped.drd"
    "$tools/flip" "$dir/flipped.drd" "$at" >/dev/null
    got=0
    "$drd" fsck "$dir/flipped.drd" >"$dir/said" 2>&1 || got=$?
    [ "$got" -ne 0 ] || fail "a flipped bit at $at of $size bytes is not found"
    flips=$((flips + 1))
    at=$((at + size / 97 + 1))
done
echo "$flips of $flips flipped bits found by fsck"

# ---- another build of the program is refused by its build-id, before anything starts ----
cp "$nodes/libraft_kv" "$dir/server"
"$drd" record -o "$dir/server.drd" -- "$dir/server" --help >/dev/null 2>&1 || true
says 0 "identical to the end" -- "$drd" replay "$dir/server.drd"
mv "$dir/server" "$dir/server.away"
says 125 "$dir/server" "No such file" -- "$drd" replay "$dir/server.drd"
cp "$nodes/kv_client" "$dir/server"
says 125 "$dir/server is another build" "recorded build-id [0-9a-f]*, present [0-9a-f]*" "force" -- "$drd" replay "$dir/server.drd"
[ "$(wc -l <"$dir/said")" -eq 1 ] || fail "more than a line about another build"
mv "$dir/server.away" "$dir/server"
says 0 "identical to the end" -- "$drd" replay "$dir/server.drd"
echo "another build is refused"
