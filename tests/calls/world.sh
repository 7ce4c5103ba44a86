#!/bin/sh
# world.sh NAME PROGRAM [ARGUMENT]...
# Runs PROGRAM natively and twice in the simulated world with the same seed. The output and the status have to be the native ones, the
# streams of the two the same, and the replay identical to the end. Prints "ok NAME", or what differed (exit 1).
#   DRD, SAME   the command to test, and build/tests/tools/same
#   CHANCE      if set: what the program prints is not the native output, it depends on chance or on the machine
#   KEEP        a directory to leave everything in when something differed
set -u
name=$1
shift
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- # what the runner left open is not there in the world

scratch=$(mktemp -d "${TMPDIR:-/tmp}/drd-world.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

# run STEP SECONDS COMMAND...: in an empty directory of the same name each time; leaves STEP.out, STEP.err, STEP.status.
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
    [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP/$name" && cp -r "$scratch/." "$KEEP/$name/"; }
    exit 1
}

# compare A B WHAT
compare()
{
    cmp -s "$scratch/$1.$3" "$scratch/$2.$3" && return
    echo "--- $3, $1 and $2"
    diff -a "$scratch/$1.$3" "$scratch/$2.$3" | head -n 20
    tail -n 3 "$scratch/$2.err"
    failed "$3 of the $2 run"
}

run native 60 "$@"
for step in first second; do
    run $step 60 "$DRD" simulate --seed 5 --limit 100 -o "$scratch/$step.drd" -- "$@"
    sed -i '/^drd: seed 5: /d' "$scratch/$step.err" # DRD's own last word
done
if [ -z "${CHANCE:-}" ]; then
    for what in status out err; do compare native first $what; done
fi
for what in status out err; do compare first second $what; done
"$SAME" "$scratch/first.drd" "$scratch/second.drd" || failed "two runs of one seed differ"
run replay 90 "$DRD" replay --timeout 60 "$scratch/first.drd"
if [ "$(cat "$scratch/replay.status")" != 0 ]; then
    head -n 12 "$scratch/replay.err" "$scratch/replay.out"
    failed "replay ended with $(cat "$scratch/replay.status")"
fi
echo "ok $name"
