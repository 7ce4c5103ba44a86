#!/bin/sh
# drd whatif on recordings of real clusters: gone on from with nothing changed, is the end the same? And which change takes the failure away?
#   whatif.sh [BUILD]     SCENES="raftkv/T07a figure8 ..."; SEEDS=2; TIMES=2; BOUND=120 (s, each command)
#
# Columns: the scene; whether it was violated as recorded; from how many events it was gone on from (a quarter, a half, three quarters of
# the way to the cause), how many runs that made, and how many of them ended as the recording did, verdict and fingerprint; what
# drd explain --prove says of the cause, with how many runs of TIMES in which the change took the violation away, and those without it in
# which it was there; and the change. Or why it cannot be gone on from.
set -eu
. "$(dirname "$0")/lib.sh"
SCENES=${SCENES:-raftkv/T07a raftkv/T01a raftkv/T02a raftkv/T12a raftkv/T18a figure8 workload/pysyncobj_restart workload/ovsdb_rollback
    workload/pysyncobj workload/ovsdb}
SEEDS=${SEEDS:-2} TIMES=${TIMES:-2} BOUND=${BOUND:-120}
cluster=$bench/../cluster
export WITHIN=10000

bounded() { timeout -k 5 "$BOUND" "$@" </dev/null; }

# value FILE EXPRESSION: of the JSON object `a` in it; nothing if there is none.
value() {
    python3 -c 'import json, sys
try:
    a = json.load(open(sys.argv[1]))
    print(eval(sys.argv[2]))
except (ValueError, KeyError, TypeError, IndexError):
    pass' "$1" "$2"
}

# gone_on EVENT: adds to $points, $runs and $alike.
gone_on() {
    bounded "$drd" whatif --json --from "$1" --seeds "$SEEDS" "$scratch/run.drd" >"$scratch/json" 2>"$scratch/said" || true
    counts=$(value "$scratch/json" '"%d %d %d" % (a["unchanged"]["runs"], a["unchanged"]["violated"], a["unchanged"]["same_fingerprint"])')
    [ -n "$counts" ] || { why=$(head -n 1 "$scratch/said" | cut -c 1-160); return; }
    # shellcheck disable=SC2086
    set -- $counts
    points=$((points + 1)) runs=$((runs + $1))
    if [ "$violated" = yes ]; then alike=$((alike + $3)); else alike=$((alike + $1 - $2)); fi
}

machine
echo "K = $SEEDS; $(cut -d ' ' -f 1-3 /proc/loadavg) busy"
printf '%-20s %-8s %6s %4s %5s  %s\n' scene violated events runs alike "without the decisive input"
for scene in $SCENES; do
    rm -f "$scratch"/run.drd*
    bounded "$drd" record -o "$scratch/run.drd" -- sh "$cluster/$scene.sh" "$build" >"$scratch/said" 2>&1 || true
    bounded "$drd" explain --no-source --json "$scratch/run.drd" >"$scratch/explained" 2>"$scratch/said" || true
    violated=no cause=$(value "$scratch/explained" 'a["cause"]["event"]')
    [ "$(value "$scratch/explained" 'a["verdict"]["status"]')" != violated ] || violated=yes
    case $cause in *@*) ;; *) cause=n1@800 ;; esac
    points=0 runs=0 alike=0 why='' proof=-
    number=${cause#*@}
    for share in 1 2 3; do gone_on "${cause%@*}@$((number * share / 4))"; done
    if [ "$violated" = yes ] && [ $points -gt 0 ]; then
        bounded "$drd" explain --prove --times "$TIMES" --no-source --json "$scratch/run.drd" >"$scratch/json" 2>"$scratch/said" || true
        proof=$(value "$scratch/json" 'a["proof"]["state"] + ("" if a["proof"]["proving"] is None else " %(gone)d" % a["proof"]["tried"][a["proof"]["proving"]]["changed"]
            + " %(violated)d" % a["proof"]["tried"][a["proof"]["proving"]]["unchanged"] + " " + a["proof"]["tried"][a["proof"]["proving"]]["option"])')
    fi
    printf '%-20s %-8s %6d %4d %5d  %s\n' "${scene#*/}" "$violated" $points $runs $alike "${why:-${proof:-not proved}}"
done | tee "$scratch/rows"
awk '{ n++; p += $3; r += $4; a += $5 } END { printf "%d scenes: from %d events %d runs, %d as recorded\n", n, p, r, a }' "$scratch/rows"
