#!/bin/sh
# drd show --frames: where in its program a node was. Lines are found by the comments at their ends.
#   frames.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"
source=$(cd "$(dirname "$0")/../nodes" && pwd)/stack_node.c
node=$1/tests/nodes/stack_node

# line COMMENT [FILE]: where it stands.
line() {
    grep -n -e "[/#][*]* $1\( [*]/\)*\$" "${2:-$source}" | cut -d : -f 1
}

# event RUN WORDS: of the one line of the log that has them.
event() {
    "$drd" log "$1" --grep "$2" | sed -n 's/^\([^ ]*@[0-9]*\) .*/\1/p' | head -n 1
}

# stack RUN EVENT: what is shown of it, "FUNCTION FILE:LINE" a line, files without their directories.
stack() {
    expect 0 "$drd" show "$1@$2" --frames
    sed -n '/^  stack  /,$p' out | cut -c 20- | sed 's|  [^ ]*/|  |; s|  | |' >stack
}

# wants WORDS...: is the stack this, a line a word?
wants() {
    printf '%s\n' "$@" >wanted
    cmp -s wanted stack || { wrong "another stack (< wanted, > got)"; diff wanted stack || true; }
}

cp "$node" "$1/tests/nodes/libstack_library.so" .
expect 0 "$drd" record -o run.drd -- ./stack_node
cp run.drd fresh.drd

# through a preloaded function, deep, from a function put inline
stack run.drd "$(event run.drd preloaded)"
deeper="level stack_node.c:$(line deeper)"
wants "put_inline stack_node.c:$(line preloaded)" "preloaded stack_node.c:$(line "calls inline")" \
    "level stack_node.c:$(line deepest)" "$deeper" "$deeper" "$deeper" "main stack_node.c:$(line "main calls")"
# trapped, in the program itself: the trap's frame is the node's
stack run.drd "$(event run.drd '"raw"')"
grep -q '^raw stack_node.c:[0-9]*$' stack || wrong "no frame of a trapped call"
[ "$(wc -l <stack)" -eq 2 ] || wrong "not two frames"
# trapped inside libc, which is left out
stack run.drd "$(event run.drd '"libc"')"
head -n 1 stack | grep -q '^through_libc stack_node.c:[0-9]*$' || wrong "no frame below libc"
# of the thread that makes it
stack run.drd "$(event run.drd '"thread"')"
wants "thread stack_node.c:$(line "of the thread")"

# a handler of signals, a library that came later, a child that was forked
stack run.drd "$(event run.drd '"signal"')"
head -n 2 stack >above
mv above stack
says="say stack_node.c:$(line says)"
wants "$says" "handler stack_node.c:$(line handles)"
stack run.drd "$(event run.drd '"library"')"
head -n 3 stack >above
mv above stack
wants "$says" "library_calls stack_library.c:$(line "calls back" "$(dirname "$source")/stack_library.c")" \
    "late stack_node.c:$(line "calls the library")"
stack run.drd "$(event run.drd '"child"')"
wants "$says" "forked stack_node.c:$(line "the child")" "main stack_node.c:$(line "main forks")"

# before anything happened, and after the last thing
stack run.drd stack_node#1@0
wants "the process begins here: it has done nothing yet"
expect 129 "$drd" show run.drd --frames
expect 128 "$drd" show run.drd@stack_node#1@999999 --frames

raw=$(event run.drd '"raw"')
expect 0 "$drd" show run.drd@"$raw" --frames --json
grep -q '"frames":\[{"function":"raw","file":"[^"]*stack_node.c","line":[0-9]*,"object":"stack_node","offset":[0-9]*},' out ||
    wrong "other JSON"
expect 0 "$drd" fsck run.drd

# without the program: what was kept is shown, what was not is missed, and so is it where the program is another
mv stack_node gone
stack run.drd "$raw"
grep -q '^raw stack_node.c:[0-9]*$' stack || wrong "not kept"
stack fresh.drd "$raw"
grep -q '^no replay: .*No such file' stack || wrong "no note of a program that is gone"
cp /bin/true stack_node
stack fresh.drd "$raw"
grep -q '^no replay: .*another build' stack || wrong "no note of another build"

# a file that cannot be written is no error, and nothing is kept in it. Root may write all, so nobody does it; and nobody has no
# privilege of any kind.
rm stack_node
cp gone stack_node
chmod 400 fresh.drd
as_user() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    chown -R 65534:65534 .
    as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all "$@"; }
fi
if as_user test -x "$1/drd" -a -w "$scratch" 2>/dev/null; then
    expect 0 as_user "$1/drd" show fresh.drd@"$raw" --frames
    grep -q '^  stack *raw  .*stack_node.c:[0-9]*$' out || wrong "no stack of a run that cannot be written"
    mv stack_node gone
    expect 0 as_user "$1/drd" show fresh.drd@"$raw" --frames
    grep -q '^  stack *no replay: .*No such file' out || wrong "something was kept in a run that cannot be written"
    mv gone stack_node
fi

# stripped: places in the file, and a note; with the symbols installed, names and lines again, also where the stack was kept
if command -v objcopy >/dev/null; then
    id=$(od -An -tx1 -v stack_node | tr -d ' \n' | grep -o '040000001400000003000000474e5500.\{40\}' | head -n 1 | cut -c 33-)
    objcopy --only-keep-debug stack_node symbols
    objcopy --strip-all stack_node
    expect 0 "$drd" record -o stripped.drd -- ./stack_node
    raw=$(event stripped.drd '"raw"')
    export DRD_DEBUG_DIR="$scratch/debug"
    stack stripped.drd "$raw"
    head -n 1 stack | grep -q '^stack_node+0x[0-9a-f]*$' || wrong "no place in a stripped program"
    tail -n 1 stack | grep -q "^no debug symbols for stack_node: .*; build-id $id\$" || wrong "no note of what is missing"
    mkdir -p "debug/.build-id/$(echo "$id" | cut -c 1-2)"
    cp symbols "debug/.build-id/$(echo "$id" | cut -c 1-2)/$(echo "$id" | cut -c 3-).debug"
    stack stripped.drd "$raw"
    head -n 1 stack | grep -q '^raw stack_node.c:[0-9]*$' || wrong "symbols that are installed are not found"
    [ "$(wc -l <stack)" -eq 2 ] || wrong "a note where nothing is missing"
    unset DRD_DEBUG_DIR
fi

# Python, where it is 3.11: its own frames
python=/usr/bin/python3
if [ -x $python ] && $python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    cat >node.py <<'END'
import os
import threading

class Node:
    def send(self, text):
        def inner(n):
            if n:
                return inner(n - 1)  # deeper
            return os.write(1, text)  # writes

        return inner(1)  # sends

def numbers(node):
    for i in range(2):
        node.send(
            b"caf\xc3\xa9\n",
        )  # not here
        yield i

def other(node):
    node.send(b"thread\n")  # of the thread

node = Node()
list(numbers(node))  # main
thread = threading.Thread(target=other, args=(node,))
thread.start()
thread.join()
END
    expect 0 "$drd" record -o python.drd -- $python node.py
    inner="Node.send.<locals>.inner node.py"
    send="Node.send node.py:$(line sends node.py)"
    stack python.drd "$(event python.drd 'write 1, 6')"
    wants "$inner:$(line writes node.py)" "$inner:$(line deeper node.py)" "$send" "numbers node.py:$(($(line "not here" node.py) - 2))" \
        "<module> node.py:$(line main node.py)"
    stack python.drd "$(event python.drd '"thread')"
    head -n 4 stack >above
    mv above stack
    wants "$inner:$(line writes node.py)" "$inner:$(line deeper node.py)" "$send" "other node.py:$(line "of the thread" node.py)"
fi

# who is told something acts on it a little later
expect 0 "$drd" record -o cat.drd -- sh -c 'echo told | cat'
"$drd" log cat.drd --node cat#1 --grep told >out
told=$(sed -n '/ read /s/^\([^ ]*\) .*/\1/p' out) act=$(sed -n '/ write /s/^\([^ ]*\) .*/\1/p' out)
expect 0 "$drd" show cat.drd@"$told" --frames
grep -q "^  acts on it at  *$act\$" out || wrong "acts at $act"
expect 0 "$drd" show cat.drd@"$act" --frames
! grep -q "acts on it" out || wrong "an effect acts on itself"

leave
