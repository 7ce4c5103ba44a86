#!/bin/sh
# drd record and drd fault: exit codes, refusals, options. What a refusal leaves behind is looked for.
#   record.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"

# A command ends as it would have.
expect 3 "$drd" record -o run.drd -- sh -c 'exit 3'
expect 0 "$drd" record -o run.drd -- sh -c 'echo out; echo err >&2'
[ "$(cat out)" = out ] || wrong "stdout of the command"
[ "$(head -n 1 err)" = err ] || wrong "stderr of the command"
expect 137 "$drd" record -o run.drd -- sh -c 'kill -9 $$'
expect 124 "$drd" record -o run.drd --timeout 1 -- sleep 60

# After --timeout nothing is left, of what the command started either: neither what it waits for, nor what does not care.
expect 124 "$drd" record -o run.drd --timeout 1 -- sh -c '
    sh -c "echo \$\$ >quick; exec sleep 60" &
    sh -c "trap \"\" TERM; echo \$\$ >stubborn; exec sleep 60" &
    sleep 60; exit 0'
for name in quick stubborn; do
    { read -r _ _ state _ <"/proc/$(cat $name)/stat"; } 2>/dev/null || state=gone
    case $state in gone | Z) ;; *) wrong "$name goes on after --timeout" ;; esac
done
"$drd" show run.drd | grep -q incomplete && wrong "what --timeout ended is incomplete"
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

# Recording inside a recording, which no environment hides. Two recorders on one file: unfinished.sh.
expect 125 "$drd" record -o run.drd -- "$drd" record -o new.drd -- true
grep -q "inside it" err || wrong "recording inside a recording"
[ ! -e new.drd ] || wrong "recording inside a recording left a run file"
expect 125 "$drd" record -o run.drd -- env -u DRD_SPOOL -u LD_PRELOAD "$drd" record -o run.drd -- true
grep -q "inside it" err || wrong "a program that forgets its recording"

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

# Ctrl-C ends the nodes and closes the run. A shell starts what is in the background with SIGINT ignored.
for signal in INT TERM; do
    env --default-signal=INT "$drd" record -o run.drd --node one='sleep 60' >out 2>err &
    recorder=$!
    wait_for being_recorded run.drd
    kill -$signal $recorder
    got=0
    wait $recorder || got=$?
    case $signal$got in INT130 | TERM143) ;; *) wrong "SIG$signal to the recorder: status $got" ;; esac
    expect 0 "$drd" fsck run.drd
    [ "$("$drd" show --json run.drd | grep -c '"state":"complete"')" -eq 1 ] || wrong "SIG$signal: the run is not complete"
done

# --only: programs or nodes by name, the rest runs unrecorded and without a warning
nodes_are() {
    "$drd" show --json run.drd | tr ',' '\n' | sed -n 's/.*"node":"\([^"]*\)".*/\1/p' | grep -vx drd | tr '\n' ' ' >nodes
    [ "$(cat nodes)" = "$1" ] || wrong "nodes $(cat nodes), wanted $1"
}
expect 0 "$drd" record -o run.drd --only 'ech*' -- sh -c '/bin/echo a; /bin/true'
nodes_are "echo#1 "
expect 0 "$drd" record -o run.drd --only 'n?' -- sh -c 'DRD_NODE=n1 /bin/echo a; DRD_NODE=m1 /bin/echo b; DRD_NODE=n2 /bin/true'
nodes_are "n1 n2 "
expect 0 "$drd" record -o run.drd --only 'm*' --only n2 --only 'tru?' -- sh -c 'DRD_NODE=n1 /bin/echo a; DRD_NODE=m1 /bin/echo b
    DRD_NODE=n2 /bin/echo c; DRD_NODE=n22 /bin/echo d; /bin/false; /bin/true'
nodes_are "m1 n2 true#1 "
rm -f new.drd
long=$(printf 'n%060d' 1)
refuse 129 'drd: --only: the names are longer than 126 *' "$drd" record -o new.drd --only "$long" --only "$long" --only "$long" -- true

# --max-size: the command goes on, the run says where it ends. The recorder drains when the processors are idle: the command
# waits for it to have written that much, and then does some more.
expect 3 "$drd" record -o run.drd --max-size 256K -- sh -c '
    n=0 more=20
    while [ $more -gt 0 ] && [ $n -lt 600 ]; do
        head -c 400000 /dev/urandom | wc -c
        n=$((n + 1))
        [ "$(stat -c %s run.drd)" -lt 262144 ] || more=$((more - 1))
        sleep 0.05
    done
    echo $n >rounds; exit 3'
[ "$(grep -cx 400000 out)" -eq "$(cat rounds)" ] || wrong "--max-size changed the command"
grep -q "incomplete: .*--max-size was reached" err || wrong "--max-size is not told"
expect 0 "$drd" fsck run.drd
expect 0 "$drd" replay run.drd
refuse 129 "drd record: *" "$drd" record -o new.drd --max-size much -- true
refuse 129 "drd*" "$drd" record -o new.drd --keep sometimes -- true
refuse 129 "drd record: *" "$drd" record -o new.drd --timeout soon -- true

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
leave
