#!/bin/sh
# What is not a run, or not of this run, is refused: one line on stderr, the documented exit code, nothing on stdout.
#   bad_input.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"

refuse_all 128 "drd: *nowhere.drd: No such file or directory*" ./nowhere.drd
refuse_all 128 "drd: *not a DRD run*" /etc/passwd
refuse_all 128 "drd: *not a DRD run*" /
: >empty.drd
refuse_all 128 "drd: *not a DRD run*" ./empty.drd
head -c 100000 /dev/urandom >noise.drd
refuse_all 128 "drd: *not a DRD run*" ./noise.drd

"$drd" record -o run.drd -- /bin/echo hello >said 2>&1 || { cat said; echo "cannot record"; exit 1; }
size=$(wc -c <run.drd)

# user_version stands at offset 60 of the file, big endian: oldest reader that can read it, and format
cp run.drd newer.drd
printf '\143\143\143\143' | dd of=newer.drd bs=1 seek=60 conv=notrunc status=none
refuse_all 128 "drd: *written by a newer drd*" ./newer.drd
refuse 128 "drd: *written by a newer drd*" "$drd" fsck --repair ./newer.drd
head -c 1000 run.drd >cut.drd
refuse_all 128 "drd: *damaged*" ./cut.drd
head -c $((size / 2)) run.drd >half.drd
cp half.drd before.drd
refuse_all 128 "drd: *damaged*" ./half.drd
refuse 128 "drd: *damaged*" "$drd" fsck --repair ./half.drd
cmp half.drd before.drd || wrong "a damaged run was changed"
refuse 128 "drd: *damaged*" "$drd" record -o half.drd -- true
cmp half.drd before.drd || wrong "a damaged run was recorded over"

refuse 128 "drd: *no node 'n9'*" "$drd" replay run.drd --node n9
refuse 128 "drd: no such node: n9 (the run has echo#1)" "$drd" log run.drd --node n9
refuse 128 "drd: *n9*" "$drd" show run.drd@n9@1
refuse 128 "drd: *n9*" "$drd" log run.drd --from n9@1
refuse 128 "drd: *n9*" "$drd" log run.drd@n9@1
refuse 128 "drd: *" "$drd" replay run.drd --until n9@1
refuse 128 "drd: *" "$drd" replay run.drd --until 17
refuse 128 "drd: *99999999*" "$drd" replay run.drd --until "echo#1@99999999"
refuse 128 "drd: *99999999*" "$drd" show "run.drd@echo#1@99999999"
refuse 128 "drd: *99999999*" "$drd" log run.drd --to "echo#1@99999999"
refuse 5 "drd: no event matches" "$drd" log run.drd --grep 'no line has this'
refuse 129 "drd: no kind of event is called 'nosuch'*" "$drd" log run.drd --kind nosuch
refuse 129 "drd replay: *" "$drd" replay run.drd --jobs many
refuse 129 "drd replay: *" "$drd" replay run.drd extra
refuse 129 "drd*" "$drd" replay run.drd --jobs -1
refuse 125 "drd: *" env TMPDIR=/nonexistent "$drd" replay run.drd
leave
