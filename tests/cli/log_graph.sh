#!/bin/sh
# drd log --graph and the lanes of drd explain: what they look like, how wide they are, what they are made of.
#   log_graph.sh BUILD SCRATCH
# tests/cli/graph/ holds what is to be seen. Made anew, read before it is committed:
#   COLUMNS=100 drd log --graph traces/T01.drd >tests/cli/graph/T01.txt
#   drd log --graph --ascii --from s0@5560 --to s1@6468 traces/T07.drd >tests/cli/graph/T07.txt
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.sh"
cp "$root"/traces/T*.drd .
unset COLUMNS NO_COLOR FORCE_COLOR
export LC_ALL=C.UTF-8

# as_kept FILE COMMAND...
as_kept() {
    kept=$root/tests/cli/graph/$1
    shift
    expect 0 "$@"
    cmp -s out "$kept" || { diff "$kept" out | head -n 20; wrong "$*: not as in $kept"; }
}
as_kept T01.txt env COLUMNS=100 "$drd" log --graph T01.drd
as_kept T07.txt "$drd" log --graph --ascii --from s0@5560 --to s1@6468 T07.drd

# widest FILE: characters of its longest line
widest() {
    wc -L <"$1"
}
for run in T01 T07 T19 T25; do
    for columns in 20 40 60 80 100 137; do
        expect 0 env COLUMNS=$columns "$drd" log --graph $run.drd
        [ "$(widest out)" -le $columns ] || wrong "$run: $(widest out) columns of $columns"
        expect 0 env COLUMNS=$columns "$drd" log --graph --ascii --all $run.drd
        [ "$(widest out)" -le $columns ] || wrong "$run: ASCII has $(widest out) columns of $columns"
        [ -z "$(LC_ALL=C tr -d '\12\40-\176' <out)" ] || wrong "$run: --ascii is not ASCII"
    done
    expect 0 "$drd" log --graph $run.drd
    ! grep -q '…' out || wrong "$run: cut where nobody gave a width"
    ! grep -q "$(printf '\033')" out || wrong "$run: coloured where there is no terminal"
    # each receipt points away from its send, which stands above it
    sed -n 's/^.*<- \([a-z0-9]*@[0-9]*\): .*/\1/p' out | sort -u >causes
    while read -r event; do
        [ "$(grep -c " $event " out)" -ge 1 ] || wrong "$run: $event was received and not sent"
    done <causes
    [ -s causes ] || wrong "$run: nothing was received"
done
expect 0 "$drd" log --graph --color always T01.drd
grep -q "$(printf '\033')" out || wrong "--color always has none"
expect 0 env FORCE_COLOR=1 "$drd" log --graph --color never T01.drd
! grep -q "$(printf '\033')" out || wrong "--color never has some"
# On a terminal there is colour, unless NO_COLOR says no; the width is the terminal's.
if command -v script >/dev/null; then
    on_terminal() {
        TERM=xterm DRD_PAGER=cat script -qec "stty cols 90; $*" /dev/null </dev/null 2>err | tr -d '\r' >out
    }
    on_terminal "$drd log --graph T07.drd"
    grep -q "$(printf '\033')" out || wrong "no colour on a terminal"
    sed 's/\x1b\[[0-9;]*m//g' out >plain
    [ "$(widest plain)" -le 90 ] && [ "$(widest plain)" -gt 80 ] || wrong "$(widest plain) columns on a terminal of 90"
    on_terminal "NO_COLOR=1 $drd log --graph T07.drd"
    ! grep -q "$(printf '\033')" out || wrong "colour in spite of NO_COLOR"
    on_terminal "$drd explain --no-source T07.drd"
    ! grep -q '●' out || wrong "lanes on a terminal of 90 columns"
    on_terminal "stty cols 100; $drd explain --no-source T07.drd"
    grep -q '●' out || wrong "no lanes on a terminal of 100 columns"
    on_terminal "stty cols 100; $drd explain --lanes never --no-source T07.drd"
    ! grep -q '●' out || wrong "lanes in spite of --lanes never"
fi

# filters are those of drd log
expect 0 "$drd" log --graph --ascii --node s1 --node s2 T07.drd
head -n 2 out >heads
printf 's1\n|  s2\n' | cmp -s - heads || wrong "--node does not choose the lanes"
! grep -q ' s0@[0-9]* *[0-9]*\.[0-9]* s ' out || wrong "--node shows another node"
expect 0 "$drd" log --graph --kind fdatasync T07.drd
[ "$(grep -c fdatasync out)" -eq "$("$drd" log --kind fdatasync T07.drd | grep -c .)" ] || wrong "--kind shows another number of events"
expect 0 "$drd" log --graph --grep 'leader of term' T07.drd
[ "$(grep -vc 'leader of term' out)" -le 4 ] || wrong "--grep shows other lines"
refuse 5 "drd: no event matches" "$drd" log --graph --grep 'no such words' T07.drd
refuse 129 "drd: *" "$drd" log --graph --json T07.drd
refuse 128 "drd: *nosuch*" "$drd" log --graph --node nosuch T07.drd

# ---- explain: the same words beside the lanes, and nothing else changed ----
for run in T01 T07 T19 T25; do
    status=0
    "$drd" explain --no-source --json $run.drd >/dev/null 2>&1 || status=$?
    expect "$status" "$drd" explain --no-source $run.drd
    mv out plain
    expect "$status" env COLUMNS=100 "$drd" explain --no-source --lanes always $run.drd
    grep -q '●' out || wrong "$run: no lanes"
    grep '[│●◦]' out >drawn
    [ "$(widest drawn)" -le 100 ] || wrong "$run: $(widest drawn) columns of 100"
    grep -v '[│●◦]' out | grep -v '^CHAIN' >rest
    grep -v '^           [0-9]\|^CHAIN' plain >wanted
    cmp -s rest wanted || wrong "$run: lanes change more than the chain"
    for word in $(sed -n '/^CHAIN/,/^EVENTS/p' plain | grep '^CHAIN\|^  ' | tr ' ' '\n' | grep -v CHAIN | grep . | sort -u | grep '^[a-z0-9@]*$'); do
        grep -q -- "$word" drawn || wrong "$run: '$word' is not beside the lanes"
    done
    expect "$status" "$drd" explain --no-source --lanes always --ascii $run.drd
    [ -z "$(LC_ALL=C tr -d '\12\40-\176' <out)" ] || wrong "$run: explain --ascii is not ASCII"
done
leave
