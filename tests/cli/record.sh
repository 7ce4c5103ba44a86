#!/bin/sh
# drd record and drd fault: exit codes, refusals, options. What a refusal leaves behind is looked for.
#   record.sh BUILD SCRATCH
set -eu
drd=$1/drd
scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch/tmp" "$scratch/spool"
cd "$scratch"
export TMPDIR="$scratch/tmp" DRD_SPOOL_BASE="$scratch/spool"
unset DRD_NODE DRD_SPOOL DRD_CONTROL
failed=0

wrong() {
    echo "record.sh: $*"
    head -n 5 out err
    failed=1
}

# expect STATUS COMMAND...
expect() {
    status=$1 got=0
    shift
    "$@" >out 2>err || got=$?
    [ "$got" -eq "$status" ] || wrong "$*: status $got, wanted $status"
}

# refuse STATUS WORDS COMMAND...: one line, no run file, no spool.
refuse() {
    words=$2
    expect "$1" sh -c 'shift 2; exec "$@"' sh "$@"
    shift 2
    # shellcheck disable=SC2254
    case $(cat err) in
    $words) ;;
    *) wrong "$*: wanted $words" ;;
    esac
    [ "$(wc -l <err)" -eq 1 ] || wrong "$*: more than one line"
    [ ! -e new.drd ] || wrong "$*: left a run file"
    [ -z "$(ls spool)" ] || wrong "$*: left a spool"
}

# A command ends as it would have.
expect 3 "$drd" record -o run.drd -- sh -c 'exit 3'
expect 0 "$drd" record -o run.drd -- sh -c 'echo out; echo err >&2'
[ "$(cat out)" = out ] || wrong "stdout of the command"
[ "$(head -n 1 err)" = err ] || wrong "stderr of the command"
expect 137 "$drd" record -o run.drd -- sh -c 'kill -9 $$'
expect 124 "$drd" record -o run.drd --timeout 1 -- sleep 60
expect 0 "$drd" fsck run.drd
[ "$(stat -c %a run.drd)" = 600 ] || wrong "mode of the run file"
[ -z "$(ls spool)" ] || wrong "a spool is left behind"

refuse 127 "drd: nosuch: command not found" "$drd" record -o new.drd -- nosuch
refuse 127 "drd: ./nosuch: command not found" "$drd" record -o new.drd -- ./nosuch
refuse 126 "drd: ./spool: Permission denied" "$drd" record -o new.drd -- ./spool
: >plain
refuse 126 "drd: ./plain: Permission denied" "$drd" record -o new.drd -- ./plain
refuse 127 "drd: node a: nosuch: command not found" "$drd" record -o new.drd --node a=nosuch -- true
refuse 129 "drd: *nothing to record*" "$drd" record -o new.drd
refuse 129 "drd: *not a node*" "$drd" record -o new.drd --node a -- true
refuse 129 "drd: *two nodes of this name*" "$drd" record -o new.drd --node a=true --node a=true -- true
refuse 128 "drd: *nosuch: No such file or directory" "$drd" record -o new.drd --procfile nosuch -- true
refuse 128 "drd: *nosuch/new.drd: No such file or directory" "$drd" record -o nosuch/new.drd -- true
echo text >text
refuse 128 "drd: *text: not a DRD run" "$drd" record -o text -- true
refuse 125 "drd: *already*" env DRD_SPOOL=/dev/shm/x "$drd" record -o new.drd -- true
refuse 125 "drd: DRD_SPOOL_BASE=*" env DRD_SPOOL_BASE="$scratch/nosuch" "$drd" record -o new.drd -- true
refuse 125 "drd: DRD_SHIM=*" env DRD_SHIM=/nosuch.so "$drd" record -o new.drd -- true
refuse 128 "drd: faults are for *" "$drd" fault cut a
refuse 128 "drd: the recorder does not answer *" env DRD_CONTROL=/nosuch "$drd" fault heal

# Recording inside a recording, and two recorders on one file.
expect 125 "$drd" record -o run.drd -- "$drd" record -o new.drd -- true
grep -q "inside it" err || wrong "recording inside a recording"
expect 128 "$drd" record -o run.drd -- env -u DRD_SPOOL -u LD_PRELOAD "$drd" record -o run.drd -- true
grep -q "being recorded" err || wrong "two recorders on one file"

# --keep
rm -f run.drd
expect 0 "$drd" record -o run.drd --keep failure -- true
[ ! -e run.drd ] || wrong "--keep failure kept a good run"
expect 1 "$drd" record -o run.drd --keep failure -- false
[ -e run.drd ] || wrong "--keep failure lost a failure"

# Nodes: output prefixed, stopped when the command has ended; faults.
cat >Procfile <<'END'
# two nodes
one: sh -c 'echo ready; exec sleep 60'

two: sleep 60
END
expect 7 "$drd" record -o run.drd --procfile Procfile -- sh -c "
    while ! '$drd' fault cut one two 2>/dev/null; do :; done
    '$drd' fault heal && '$drd' fault pause two && '$drd' fault resume two && '$drd' fault kill two && exit 7"
grep -q "^one | ready" out || wrong "no prefixed line"
grep -q "node two ended by signal 9" err || wrong "the killed node is not told"
"$drd" log run.drd --node drd >log
[ "$(sed -n 's/.*fault \(.*\)/\1/p' log | tr '\n' ,)" = "cut one two,heal,pause two,resume two,kill two," ] || wrong "faults in the log: $(cat log)"
expect 128 "$drd" record -o run.drd --procfile Procfile -- "$drd" fault kill nobody
grep -q "no node nobody" err || wrong "unknown node"

# Ctrl-C ends the nodes and closes the run.
"$drd" record -o run.drd --node one='sleep 60' >out 2>err &
recorder=$!
until "$drd" fsck run.drd 2>&1 | grep -q "being recorded"; do :; done
kill -TERM $recorder
got=0
wait $recorder || got=$?
[ $got -eq 143 ] || wrong "SIGTERM to the recorder: status $got"
expect 0 "$drd" fsck run.drd

# Programs that cannot be recorded, and what is left behind.
if [ -x /sbin/ldconfig ]; then
    expect 0 "$drd" record -o run.drd -- /sbin/ldconfig -V
    grep -q "ldconfig runs unrecorded: it is statically linked" err || wrong "static program"
    expect 0 "$drd" record -o run.drd -- sh -c '/sbin/ldconfig -V; /sbin/ldconfig -V'
    [ "$(grep -c "ldconfig runs unrecorded" err)" -eq 1 ] || wrong "static program in a script: not one warning"
    rm -f new.drd
    refuse 125 "drd: *ldconfig cannot be recorded: *" "$drd" record --strict -o new.drd -- /sbin/ldconfig -V
fi
expect 0 "$drd" record -o run.drd -- sh -c 'sleep 30 & echo $! >left'
grep -q "outlived the command" err || wrong "a process left behind is not told"
kill "$(cat left)"
expect 0 "$drd" fsck run.drd
[ -z "$(ls spool)" ] || wrong "a spool is left behind"
exit $failed
