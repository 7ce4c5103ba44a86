#!/bin/sh
# drd pack, drd unpack: a run replays where its program is not, from the pack and from what was unpacked; refusals.
#   pack.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"
export DRD_STORE="$scratch/store"
mkdir bin
cp "$1/tests/nodes/stack_node" "$1/tests/nodes/libstack_library.so" bin/
node=$scratch/bin/stack_node

identical() {
    grep -q "identical to the end" out || wrong "$* is not identical"
}

can_enter() {
    [ "$(id -u)" -eq 0 ] || unshare -Urm true 2>/dev/null
}
can_enter || { echo "skipped: no mount namespaces here"; exit 77; }

# one program with a library that it loads late, one that is started by a path relative to where it is, one without arguments
expect 0 "$drd" record -o run.drd -- sh -c "$node; cd bin && ./stack_node"
expect 0 "$drd" replay run.drd
identical "the run"
event=$("$drd" log run.drd --grep '"library"' | sed -n 's/^\([^ ]*@[0-9]*\) .*/\1/p' | head -n 1)
cp run.drd frames.drd
expect 0 "$drd" show "frames.drd@$event" --frames
cp out frames

# twice the same bytes; what is said; readable by its owner only
expect 0 "$drd" pack run.drd
grep -q '^run.pack.drd  [0-9.]* MiB: the run, [0-9.]* [KM]iB, and [0-9]* files, [0-9.]* MiB of [0-9.]* MiB' out || wrong "what pack says"
grep -q '^drd: warning: run.pack.drd holds all that the nodes sent, read and wrote, their arguments and environment' err ||
    wrong "no warning"
expect 0 "$drd" pack -o twice.drd run.drd
cmp run.pack.drd twice.drd || wrong "two packs of one run differ"
[ "$(stat -c %a run.pack.drd)" = 600 ] || wrong "others may read it"
expect 0 "$drd" fsck run.pack.drd
refuse 128 "drd: run.pack.drd: exists; --force replaces it" "$drd" pack run.drd
expect 0 "$drd" pack --force --json --no-symbols run.drd
grep -q '"schema":"drd.pack/1","file":"run.pack.drd","bytes":[0-9]*,.*"symbols":0,"left_out":0' out || wrong "its JSON"

# where the program is not: the run does not replay, the pack does, and gives the same stacks
mv bin gone
expect 125 "$drd" replay run.drd
expect 0 "$drd" replay twice.drd
identical "the pack"
expect 0 "$drd" replay --until "$event" twice.drd
cp twice.drd stacks.drd
expect 0 "$drd" show "stacks.drd@$event" --frames
cmp -s frames out || { wrong "other stacks in a pack"; diff frames out || true; }
[ -z "$(ls -A tmp)" ] || wrong "left $(ls tmp)"
# gdb too, which finds program and libraries where they are laid out
if command -v gdb >/dev/null; then
    expect 0 "$drd" replay --until "$event" --gdb --gdb-args "-batch -ex bt -ex 'info sharedlibrary'" twice.drd
    grep -q ' say .*stack_node.c:[0-9]' out || wrong "gdb does not find the packed program's symbols"
    grep -q '^0x.*/root/[^ ]*/libc.so.6$' out || wrong "gdb does not look into the pack"
fi
[ -z "$(ls -A tmp)" ] || wrong "left $(ls tmp)"

# where another build is in its place
mkdir bin
cp /bin/true bin/stack_node
expect 0 "$drd" replay twice.drd
identical "the pack beside another build"
refuse 125 "drd: *recorded file cannot be read*bin/libstack_library.so: No such file or directory" "$drd" pack -o new.drd run.drd
expect 0 "$drd" pack --force -o partly.drd run.drd
grep -q "left out: .*libstack_library.so" err || wrong "what was left out is not said"
grep -q "; 2 left out" out || wrong "how much was left out is not said"
refuse 125 "drd: *bin/stack_node: neither here nor in the pack: it was gone when the run was packed" "$drd" replay partly.drd
# a pack of a pack has what the pack has
expect 0 "$drd" pack -o again.drd twice.drd
expect 0 "$drd" replay again.drd
identical "a pack of a pack"
rm -r bin

# unpacked: the contents once for all runs, until no run needs them
expect 0 "$drd" unpack twice.drd
id=$(cut -d ' ' -f 1 out)
grep -q "^$id  [0-9]* files, [0-9.]* MiB of them new here; next: drd explain $id" out || wrong "what unpack says"
expect 0 "$drd" unpack again.drd
grep -q "files, 0 bytes of them new here" out || wrong "contents were kept twice"
expect 0 "$drd" replay "$id"
identical "what was unpacked"
expect 0 "$drd" fsck "$id"
[ "$(stat -c %s store/runs/*-"$id".drd)" -lt "$(stat -c %s twice.drd)" ] || wrong "the run still has the contents"
expect 0 "$drd" gc --keep 1
expect 0 "$drd" replay @
identical "the run that is left"
expect 0 "$drd" pack -o packed_again.drd @
expect 0 "$drd" unpack packed_again.drd --force
[ "$(cut -d ' ' -f 1 out)" != "$id" ] || wrong "the id of another run"
refuse 128 "drd: *: a run of this name is there; --force replaces it" "$drd" unpack packed_again.drd
expect 0 "$drd" tag kept @
rm store/runs/*.drd
cp twice.drd one.drd
expect 0 "$drd" gc --keep 1
[ -z "$(find store/objects -type f)" ] || wrong "contents that nobody needs are left"

# contents that are gone are named
expect 0 "$drd" unpack twice.drd
id=$(cut -d ' ' -f 1 out)
rm -r store/objects
refuse 125 "drd: *-$id.drd: the packed file /* is not there: drd unpack its pack once more" "$drd" replay "$id"
expect 1 "$drd" fsck "$id"

# laid out for people
expect 0 "$drd" unpack --files out.d twice.drd
cmp "out.d$node" gone/stack_node || wrong "another program in the pack"
refuse 128 "drd: out.d: File exists" "$drd" unpack --files out.d twice.drd
refuse 128 "drd: run.drd: not a pack*" "$drd" unpack run.drd
refuse 128 "drd: no such run: *" "$drd" pack none.drd
refuse 128 "drd: none.drd: No such file or directory" "$drd" unpack none.drd
refuse 128 "drd: none/new.drd*: No such file or directory" "$drd" pack -o none/new.drd twice.drd

# a disk that is full: one line, nothing left
own=-m
[ "$(id -u)" -eq 0 ] || own=-Urm
if unshare $own true 2>/dev/null; then # not in a chroot, whose root is no mount
    mkdir small
    expect 0 unshare $own sh -c 'mount -t tmpfs -o size=64k none small && { "$0" pack -o small/new.drd twice.drd; echo $?; ls -A small; }' "$drd"
    [ "$(cat out)" = 128 ] || wrong "a full disk: $(cat out)"
    grep -q '^drd: .*small/new.drd.*[Nn]o space left' err || wrong "a full disk is not said"
    [ "$(wc -l <err)" -eq 1 ] || wrong "a full disk: not one line"
    expect 0 unshare $own sh -c 'mount -t tmpfs -o size=64k none small && { TMPDIR=$PWD/small "$0" replay twice.drd; echo $?; ls -A small; }' "$drd"
    [ "$(cat out)" = 125 ] || wrong "a full disk under a replay: $(cat out)"
    [ "$(wc -l <err)" -eq 1 ] || wrong "a full disk under a replay: not one line"
fi

# killed while it packs: nothing under its name
"$drd" pack -o new.drd twice.drd >/dev/null 2>&1 &
kill -TERM $! 2>/dev/null || true
wait $! || true
if [ -e new.drd ]; then expect 0 "$drd" fsck new.drd; rm new.drd; fi
[ -z "$(find . -name 'new.drd*')" ] || wrong "left $(find . -name 'new.drd*')"

# no namespaces for us: one line
if unshare -Ur true 2>/dev/null; then
    expect 0 unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces || exit 0
        setpriv --bounding-set -all --inh-caps -all "$0" replay twice.drd; echo $?' "$drd"
    if [ -s out ]; then
        [ "$(cat out)" = 125 ] || wrong "without namespaces: $(cat out)"
        grep -q "^drd: .*refuses the mount namespace.*run as root, allow user namespaces" err || wrong "without namespaces: nothing is said"
        [ "$(wc -l <err)" -eq 1 ] || wrong "without namespaces: not one line"
    fi
fi

# any byte of it damaged: refused or of no importance, never a crash, nothing left
size=$(stat -c %s twice.drd)
step=$((size / 40))
at=100
while [ $at -lt "$size" ]; do
    cp twice.drd damaged.drd
    printf '\377' | dd of=damaged.drd bs=1 seek=$at conv=notrunc 2>/dev/null
    got=0
    "$drd" replay damaged.drd >out 2>err || got=$?
    case $got in
    0 | 128) ;;
    *) wrong "byte $at damaged: status $got" ;;
    esac
    got=0
    "$drd" unpack --files damaged.d damaged.drd >out 2>err || got=$?
    [ $got -eq 0 ] || [ ! -e damaged.d ] || wrong "byte $at damaged: left a directory"
    rm -rf damaged.d
    at=$((at + step))
done
head -c 100000 twice.drd >damaged.drd
expect 128 "$drd" replay damaged.drd
leave
