#!/bin/sh
# The options of drd replay, each on a small recording.
#   replay_options.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"
tools=$1/tests/tools

# says STATUS WORDS COMMAND...: WORDS is a regular expression that a line of stdout or stderr fits; a "!" in front: none does.
says() {
    status=$1 words=$2
    shift 2
    got=0
    "$@" >said 2>&1 </dev/null || got=$?
    found=yes
    grep -q -e "${words#!}" said || found=no
    case $words in
    !*) [ $found = no ] && found=yes || found=no ;;
    esac
    if [ "$got" -ne "$status" ] || [ $found = no ]; then
        echo "$*: status $got (wanted $status), wanted '$words':"
        tail -n 20 said
        failed=1
    fi
}

# a parent, a forked child that writes, and a program it starts
"$drd" record -o run.drd -- /bin/sh -c 'echo first; (echo second; /bin/echo third); exit 7' >recorded 2>err || true
says 0 "^3 nodes, 3 processes, .* events: identical to the end (.*; recorded .*)" "$drd" replay run.drd
says 0 "^sh#2, process 2: .* events, identical to the end" "$drd" replay -v run.drd
says 0 "^3 nodes" "$drd" replay run.drd --jobs 1

# what a replay does is what was done
says 0 "identical to the end" "$drd" replay run.drd --echo --jobs 1
grep -x -e first -e second -e third said | cmp - recorded || { echo "--echo shows something else"; failed=1; }

# the child alone brings its parent up to the fork, and does not speak of it
says 0 "^1 node, 1 process," "$drd" replay run.drd --node sh#2
says 0 "!sh#1" "$drd" replay -v run.drd --node sh#2
says 0 "^2 nodes, 2 processes," "$drd" replay run.drd --node sh#2 --node echo#1
says 0 "^1 node, 1 process," "$drd" replay run.drd:sh#2
says 128 "no node 'nobody'" "$drd" replay run.drd:nobody

# up to an event, by option and behind the run's name
says 0 "^sh#1, process 1: identical up to sh#1@20, stopped there" "$drd" replay run.drd --until sh#1@20
says 0 "^sh#2, process 2: identical up to sh#2@1, stopped there" "$drd" replay run.drd@sh#2@1

says 0 '^{"schema":"drd.replay/1","run":"run.drd","verdict":"identical","nodes":3,' "$drd" replay --json run.drd
if command -v python3 >/dev/null; then
    python3 -m json.tool said >/dev/null || { echo "--json is no JSON"; failed=1; }
fi

# gdb stands in the call of the event; without gdb the error says so
event=$("$drd" log run.drd --node sh#1 --grep first | sed -n 's/^\(sh#1@[0-9]*\) .*/\1/p')
says 125 "cannot start gdb" env PATH=/nonexistent "$drd" replay run.drd --until "$event" --gdb
if command -v gdb >/dev/null; then
    says 0 "^$event  write 1, 6 bytes" "$drd" replay run.drd --until "$event" --gdb --gdb-args '-batch -ex bt'
    says 0 "^$event  write 1, 6 bytes" "$drd" replay run.drd:"$event" --gdb --gdb-args '-batch -ex bt'
    says 0 "^#[0-9]* *0x" "$drd" replay run.drd --until "$event" --gdb --gdb-args '-batch -ex bt'
    says 0 "exited normally\|exited with code" "$drd" replay run.drd --until "$event" --gdb --gdb-args '-batch -ex continue'
    says 0 "^echo#1@1  " "$drd" replay run.drd --node echo#1 --gdb --gdb-args '-batch -ex bt'
    says 0 "^echo#1@1  " "$drd" replay run.drd:echo#1 --gdb --gdb-args '-batch -ex bt'
fi
says 129 "one process" "$drd" replay run.drd --gdb
says 129 "gdb-args" "$drd" replay run.drd --until "$event" --gdb --gdb-args '"open'

# another build of a program, against its will: here only its build-id is another, in the note of 20 bytes, type 3
cp /bin/echo program
"$drd" record -o changed.drd -- ./program one >/dev/null 2>err
at=$(LC_ALL=C grep -obUaP '\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00' program | head -n 1 | cut -d : -f 1)
"$tools/flip" program $((at + 12)) >/dev/null
says 125 "^drd: program#1: .*another build: recorded build-id [0-9a-f]*, present [0-9a-f]*;" "$drd" replay changed.drd
says 0 "^drd: warning: program#1: .*another build" "$drd" replay --force changed.drd
rm program
says 125 "No such file" "$drd" replay changed.drd

leave
