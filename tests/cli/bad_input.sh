#!/bin/sh
# What is not a run, or not of this run, is refused: one line on stderr, the documented exit code, nothing on stdout.
#   bad_input.sh BUILD SCRATCH
set -eu
drd=$1/drd
scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch/tmp"
cd "$scratch"
export TMPDIR="$scratch/tmp"
failed=0

# refuse STATUS WORDS COMMAND...: WORDS is a shell pattern that the line must fit.
refuse() {
    status=$1 words=$2
    shift 2
    got=0
    "$@" >out 2>err || got=$?
    # shellcheck disable=SC2254
    case $(cat err) in
    $words) fits=yes ;;
    *) fits=no ;;
    esac
    if [ "$got" -ne "$status" ] || [ "$(wc -l <err)" -ne 1 ] || [ -s out ] || [ $fits = no ]; then
        echo "$*: status $got (wanted $status), stdout $(wc -c <out) bytes, stderr (wanted $words):"
        head -n 5 err
        failed=1
    fi
}

# Every command that reads a run.
refuse_all() {
    status=$1 words=$2 file=$3
    for command in replay show log explain fsck; do
        refuse "$status" "$words" "$drd" $command "$file"
    done
}

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
head -c 1000 run.drd >cut.drd
refuse_all 128 "drd: *damaged*" ./cut.drd
head -c $((size / 2)) run.drd >half.drd
for command in replay show log explain; do
    refuse 128 "drd: *" "$drd" $command ./half.drd
done

refuse 128 "drd: *no node 'n9'*" "$drd" replay run.drd --node n9
refuse 128 "drd: *" "$drd" replay run.drd --until n9@1
refuse 128 "drd: *" "$drd" replay run.drd --until 17
refuse 129 "drd replay: *" "$drd" replay run.drd --jobs many
refuse 129 "drd replay: *" "$drd" replay run.drd extra
refuse 129 "drd*" "$drd" replay run.drd --jobs -1
node=$("$drd" replay --json run.drd | sed -n 's/.*"node":"\([^"]*\)".*/\1/p')
refuse 128 "drd: *" "$drd" replay run.drd --until "$node@99999999"
refuse 125 "drd: *" env TMPDIR=/nonexistent "$drd" replay run.drd

# nothing is left of any of it
if [ -n "$(ls -A "$TMPDIR")" ]; then
    echo "left behind: $(ls -A "$TMPDIR")"
    failed=1
fi
exit $failed
