#!/bin/sh
# The commands of drd in gdb: forward, back, by kind, to messages; breakpoints on the way; the end, faults, another way taken.
#   gdb.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
source=$here/../nodes/gdb_node.c
node=$1/tests/nodes/gdb_node
command -v gdb >/dev/null || { echo "no gdb: see tests/lib/packages.sh"; exit 77; }
gdb -batch -ex 'python 1' 2>&1 | grep -q . && { echo "this gdb has no Python"; exit 77; }

# line COMMENT: where it stands.
line() {
    grep -n -e "/[*] $1 [*]/\$" "$source" | cut -d : -f 1
}

# debug RUN COMMAND...: gdb's commands; leaves all that was said in `out`.
debug() {
    run=$1 words=-batch
    shift
    for command; do words="$words -ex '$command'"; done
    timeout 120 "$drd" replay "$run" --gdb --gdb-args "$words" >out 2>&1 </dev/null || wrong "drd replay --gdb: status $?"
    run="gdb $*"
}

# says WORDS...: lines that fit these regular expressions, in this order, others between them.
says() {
    cp out rest
    for words; do
        at=$(grep -n -m 1 -e "$words" rest | cut -d : -f 1)
        if [ -z "$at" ]; then
            wrong "$run: nobody said '$words' there"
            cat out
            return
        fi
        tail -n +$((at + 1)) rest >next
        mv next rest
    done
}

never() {
    ! grep -q -e "$1" out || wrong "$run: '$1' was said"
}

for how in exit kill crash; do
    DRD_NODE=node "$drd" record -o $how.drd -- "$node" $how >/dev/null 2>err || true
done

# at an event: the line, the meaning, the frame of the node; the shim is on no stack, and nothing is said of signals
debug exit.drd@node@18 drd-event 'up 0' 'bt 4' 'bt -no-filters 1'
says '^node@18  mark term 1' 'currentTerm is 1' 'in drd_mark' '^node@18 .*mark term' 's after the run began' 'currentTerm is 1' \
    'in drd_mark' '^#.* step (number=.*7) at' '^#.* main (' '^#0  drd_stop_here'
never SIG
[ "$(grep -c 'shim\|drd_stop_here' out)" -eq 1 ] || wrong "frames of the shim are shown"

# forward and back, by number and by name; what it prints has its event in front; variables are those of that moment
debug exit.drd:node@11 'print counter' 'drd-goto 22' 'print counter' 'drd-goto node@4' 'print counter' 'drd-goto 4' 'drd-goto node@5'
says '^node@11  write 1' '= 5$' '^node@11| > step 5$' '^node@14| > step 6$' '^node@21| fourth$' '^node@22  write' '= 9$' '^node@4 ' '= 2$' \
    '^node@4  write' '^node@5  writev 1'
# what it printed before is not printed again on the way back
[ "$(grep -c 'step 5$' out)" -eq 1 ] || wrong "printed again"

# by kind
debug exit.drd:node@2 'drd-next mark' 'print counter' 'drd-next draw' 'print counter' drd-next 'drd-next getrandom' 'drd-back mark' \
    'drd-back term' 'drd-back' 'drd-next write*' 'drd-back'
says '^node@18  mark term 1' '= 7$' '^node@26  getrandom' '= 10$' '^node@27  write' '^node@39  getrandom' '^node@36  mark term 2' \
    '^node@18  mark' '^node@17  writev' '^node@19  write' '^node@18  mark'
# without a breakpoint of its own no event is missed: one after another they are those of the log
debug exit.drd:node@2 drd-next drd-next drd-next drd-next drd-next drd-next drd-next drd-next drd-next drd-next
sed -n 's/^node@\([0-9]*\) .*/\1/p' out >seen
"$drd" log exit.drd --node node --from node@2 | sed -n 's/^node@\([0-9]*\) .*/\1/p' | head -n 11 | cmp - seen || wrong "other events than drd log has"

# a breakpoint of the user's on the way, with a condition; it stays when going back, and so does its number of hits
debug exit.drd:node@2 'break step if number == 6' 'drd-goto 40' drd-event 'print number' 'drd-goto 40' 'drd-goto 3' continue \
    'info breakpoints' 'delete' 'drd-goto 40'
says '^Breakpoint 1.*step (number=' '^stopped on the way to node@40, before node@14' '^node@13  getrandom' 'it has happened; the next is node@14' \
    '= 6$' '^node@40  write' '^node@3  writev' '^Breakpoint 1.*step' 'already hit 2 times' '^node@40  write'
# and one where it is going
debug exit.drd:node@2 "break $(line crashes)" 'tbreak tell' 'drd-next mark' 'drd-next mark'
says 'Temporary breakpoint 2.*tell (step=' '^stopped on the way to node@18, before node@4' '^node@18  mark'

# on from an event in the lines of the node
drawn=$(printf '%d' "0x$("$drd" show exit.drd@node@26 --json | sed -n 's/.*"hex":"\(..\)".*/\1/p')")
debug exit.drd:node@22 drd-finish 'drd-goto 26' next 'print (unsigned char)drawn + 0' 'drd-finish' 'drd-goto 22' step 'print counter' next 'print counter'
says '^node@22  write' '#0 .* in tell (step=step@entry=9)' '^node@26  getrandom' "^$(line states)" "= $drawn\$" 'drd: it is in the node' '^node@22  write' \
    '^[0-9]' '= 9$' '^step (number=\|^[0-9]' '= \(9\|10\)$'
! grep 'src/shim' out | grep -v '^#' || wrong "$run: stepped into the shim"

# the end: of a process that exits, of one that was killed; and back from there
debug exit.drd:node@40 continue 'print 1' 'drd-goto 40' 'print counter'
says '^node@51| fourth$' 'exited normally' 'node has come to the end of its recording, node@53; drd-goto EVENT' '= 1$' '^node@40' '= 16$'
debug kill.drd:node@40 continue 'print counter' continue 'drd-back draw' 'print counter'
says '^the recording of node ends here, after node@53: it was killed by SIGKILL' ' in end (how=.*"kill")' '= 20$' 'exited' \
    'has come to the end of its recording' '^node@52  getrandom' '= 20$'
# a fault of its own
debug crash.drd:node@40 continue 'print counter' drd-event continue 'drd-goto 40'
says '^node is killed by SIGSEGV here, after node@52' "in end .*gdb_node.c:$(line crashes)\$" '= 20$' '^node@52  getrandom' 'terminated with signal SIGSEGV' \
    'node has ended after node@52' '^node@40'

# another way taken, here by hand
debug exit.drd:node@22 'break tell' continue 'set var step = 77' 'delete' continue 'up' 'drd-goto 30' 'print counter'
says '^node does something else than recorded at node@25: the data differs' 'recorded  .*10' 'now .*77' ' in tell (step=77' \
    'in step (number=' '^node@30  writev' '= 12$'

# what cannot be done is one line, and changes nothing
debug exit.drd:node@22 'drd-next nonsense' 'drd-goto 4711' 'drd-goto other@1' 'drd-goto' 'drd-goto x' 'drd-goto 1@' 'drd-next fault' 'drd-message' \
    'drd-goto -1' 'drd-back AppendEntries' 'drd-event 99' 'drd-next mark' 'drd-next mark' 'drd-message 3' drd-event
for words in "no kind of event is called 'nonsense'" 'no event 4711 in node node: it has 54' 'no node other in the run; it has node' \
    'an event is wanted, such as node@317 or 317' 'x: not an event' '1@: not an event' 'node has no fault from here on, at node@22' \
    'node@22 is no message' '-1: not an event' 'node has no AppendEntries before node@22' 'no event 99 in node' \
    'node has no mark from here on, at node@36'; do
    grep -q "^drd: .*$words" out || wrong "nobody said '$words'"
done
says '^node@22' '^node@36  mark' '^node@36  mark'
never Traceback

# Ctrl-C, of which this node feels nothing: it blocks all signals. It stops at its next event
debug exit.drd:node@22 'break tell' continue 'python import os, signal; os.kill(os.getppid(), signal.SIGINT)' drd-event continue \
    'delete' 'drd-next mark'
says '^Breakpoint 1.*tell' '^node@23' '^node@24  write' '^node@36  mark'

# threads, signals and forked children, as they come
cp "$1/tests/nodes/stack_node" "$1/tests/nodes/libstack_library.so" .
expect 0 "$drd" record -o stack.drd -- ./stack_node
thread=$("$drd" log stack.drd --grep '"thread"' | sed -n 's/^\([^ ]*@[0-9]*\) .*/\1/p')
signal=$("$drd" log stack.drd --grep '"signal"' | sed -n 's/^\([^ ]*@[0-9]*\) .*/\1/p')
child=$("$drd" log stack.drd --grep '"child"' | sed -n 's/^\([^ ]*@[0-9]*\) .*/\1/p')
debug "stack.drd@$thread" "drd-goto $signal" 'bt' "drd-goto $thread" 'drd-back signal' 'drd-goto 1'
says "^$thread  .*write" ', thread 1$' ' in thread (' "^$signal  " ' in say (text=.*signal' ' in handler (' "^$thread  " ' in thread (' '  signal SIG' '@1  '
debug "stack.drd@$child" 'drd-back' "drd-goto $child"
says "^$child  " ' in say (text=.*child' '@' "^$child  " ' in say (text=.*child'
debug "stack.drd@$child" "drd-goto $thread"
says "drd: $thread is of another process; this one has "

# a gdb without Python is on the process at least
cat >gdb <<'END'
#!/bin/sh
exec /usr/bin/env PATH="$REAL" gdb -iex 'set auto-load no' "$@"
END
chmod +x gdb
sed -i 's|"\$@"|$(for word; do case $word in */drd.py) echo /dev/null ;; *) echo "$word" ;; esac; done)|' gdb
REAL=$PATH PATH="$PWD:$PATH" "$drd" replay exit.drd:node@22 --gdb --gdb-args '-batch -ex bt' >out 2>&1 </dev/null || wrong "without Python: $?"
run='gdb without Python'
says 'this gdb runs no Python: none of the drd- commands are there' ' in step (number='

# a cluster: messages in full, the steps of the explanation, and the state at the cause
"$drd" record --only raftkv -o cluster.drd -- sh "$here/../cluster/raftkv/T01a.sh" "$1" >said 2>&1 || true
"$drd" explain cluster.drd >explained || true
cause=$(sed -n 's/^CAUSE .*  \(n[0-9]@[0-9]*\)  .*/\1/p' explained)
case $cause in
n3@*) ;;
*) wrong "no cause on n3: $cause"; cat said explained; leave ;;
esac
chain=$(sed -n 's/^\(CHAIN\)* *[0-9]*  *\(n3@[0-9]*\) .*/\2/p' explained | head -n 1)
debug cluster.drd@"$cause" drd-chain "drd-goto $chain" 'drd-next AppendEntries' drd-message "drd-goto $cause" 'up' 'print raft.voted_for' 'print raft.term' 'drd-back message'
says "^$cause  pwrite64" 'votedFor is n2 in term 2' ' in vote_write' "^[*] [0-9] *$chain " "^[*] [0-9] *$cause " '^[*] events of n3' \
    "^$chain  " 'receives AppendEntries from n[12] of term 2' '^  type *AppendEntries' '^  term *2$' '^  prevLogIndex *1$' '^  leaderCommit *[01]$' \
    '^    000000 ' "^$cause  pwrite64" 'vote_save' ' = 2$' ' = 2$' '^n3@.* read' 'receives RequestVote from n2 of term 2'
debug cluster.drd:n1 'drd-next RequestVote' 'drd-next requestvote*' 'drd-next send' 'drd-next receive' 'drd-next write' 'drd-next apply'
says '^n1@.* write' 'sends RequestVote to n. of term 2: its log ends at index 1 of term 1' '^n1@' 'RequestVote' '^n1@' sends '^n1@' receives '^n1@' '^n1@' 'applies index'

leave
