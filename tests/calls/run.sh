#!/bin/sh
# run.sh [--name NAME] PROGRAM [ARGUMENT]...
# Runs PROGRAM three times: as it is, recorded, and its recording replayed. The output and the status of the first two have to
# be equal, and the replay identical to the end for every process. Prints "ok NAME", or what differed (exit 1), or why it
# cannot be run here (exit 77).
#   DRD      the command to test (default: build/drd of this checkout); "none": natively twice, to test the program itself
#   KEEP     a directory to leave everything in when something differed
set -u

drd=${DRD:-$(cd "$(dirname "$0")/../.." && pwd)/build/drd}
name=
[ "$1" = --name ] && name=$2 && shift 2
[ -n "$name" ] || name=$(basename "$1")
# The program runs in a directory of its own: a relative path would not lead to it from there.
case $1 in /*) ;; */*) program=$PWD/$1; shift; set -- "$program" "$@" ;; esac

[ "$drd" = none ] || [ -x "$drd" ] || { echo "FAILED $name: no command $drd; build it, or say DRD=..."; exit 1; }

# A script for a command says in its second line what it needs.
for needed in $(sed -n '2s/^# needs: //p' "${2:-/dev/null}" 2>/dev/null); do
    command -v "$needed" >/dev/null || { echo "skipped $name: no $needed here"; exit 77; }
done

scratch=$(mktemp -d "${TMPDIR:-/tmp}/drd-call.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

# run STEP SECONDS COMMAND...: in an empty directory of the same name each time; leaves STEP.out, STEP.err, STEP.status.
# Appending: several processes may write to one file.
run()
{
    step=$1 seconds=$2
    shift 2
    rm -rf "$scratch/w"
    mkdir "$scratch/w"
    { (cd "$scratch/w" && exec timeout -k 2 "$seconds" "$@" </dev/null >>"$scratch/$step.out" 2>>"$scratch/$step.err"); } 2>/dev/null
    echo $? >"$scratch/$step.status"
}

failed()
{
    echo "FAILED $name: $1"
    if [ -n "${KEEP:-}" ]; then
        mkdir -p "$KEEP/$name" && cp -r "$scratch/." "$KEEP/$name/"
    fi
    exit 1
}

same()
{
    cmp -s "$scratch/native.$1" "$scratch/$2.$1" && return
    echo "--- $1, native and $2"
    diff -a "$scratch/native.$1" "$scratch/$2.$1" | head -n 20
    [ "$1" = status ] && tail -n 5 "$scratch/$2.err"
    failed "$1 of the $2 run"
}

run native 60 "$@"
if [ "$drd" = none ]; then
    run second 60 "$@"
    for what in status out err; do same $what second; done
    if [ "$(cat "$scratch/native.status")" = 99 ] || [ "$(cat "$scratch/native.status")" = 124 ]; then
        tail -n 3 "$scratch/native.out"
        failed "the program itself, natively"
    fi
    echo "ok $name"
    exit 0
fi

run recorded 60 "$drd" record -o "$scratch/run.drd" -- "$@"
sed -i '/^drd: recorded /d;/^drd: warning: the run is incomplete: .* \(a signal had to interrupt\|a thread kept\)/d' "$scratch/recorded.err" # DRD's own last word
for what in status out err; do same $what recorded; done
run replay 90 "$drd" replay --timeout 60 "$scratch/run.drd"
if [ "$(cat "$scratch/replay.status")" != 0 ]; then
    head -n 12 "$scratch/replay.err" "$scratch/replay.out"
    failed "replay ended with $(cat "$scratch/replay.status")"
fi
echo "ok $name"
