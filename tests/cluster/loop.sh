#!/bin/sh
# Each of the three programs recorded RUNS times (default 20) with its leader killed, every process of every run replayed.
# Prints one line a program and the sum. By hand: 20 runs take about ten minutes. KEEP=DIR keeps the runs that fail;
# PROGRAMS names those to run (default: "ovsdb libraft pysyncobj").
set -eu
. "$(dirname "$0")/lib.sh"
RUNS=${RUNS:-20}

# one NAME NUMBER: says why not, if not.
one() {
    run=$dir/$1-$2.drd
    record "$run" sh "$cluster/workload/$1.sh"
    [ "$recorded" -ne 77 ] || { cat "$run.said"; exit 77; }
    if [ "$recorded" -ne 0 ]; then
        why="recording ended with $recorded: $(tail -n 1 "$run.said")"
    elif "$drd" replay "$run" >"$run.replayed" 2>&1; then
        rm -f "$run" "$run".*
        return 0
    else
        why="replay: $(tail -n 1 "$run.replayed")"
    fi
    echo "  $1 run $2: $why"
    if [ -n "${KEEP:-}" ]; then mv "$run" "$run".* "$KEEP"; fi
    return 1
}

begin
all=0 good=0
for name in ${PROGRAMS:-ovsdb libraft pysyncobj}; do
    same=0
    for number in $(seq "$RUNS"); do
        if one $name "$number"; then same=$((same + 1)); fi
    done
    printf '%-10s %3d of %d recorded and replayed to the end\n' $name $same "$RUNS"
    all=$((all + RUNS)) good=$((good + same))
done
echo "$good of $all"
[ "$good" -eq "$all" ]
