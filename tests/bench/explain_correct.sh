#!/bin/sh
# False alarms: clusters without a mistake under random kills, cuts, pauses and slow disks. drd explain must find no
# violation and no rule broken.
#   explain_correct.sh [BUILD] [RUNS]     RUNS (default 200) of all programs together; PROGRAMS, SEED of the first (1);
#                                         JOBS at a time (default: one a processor; a run waits more than it computes);
#                                         KEEP=DIR for the runs with a false alarm; SCENES=yes: behind them the scenes of
#                                         tests/cluster/raftkv, which are hard on a server that makes no mistake too;
#                                         FROM=DIR: no new runs, but those there, PROGRAM-*.drd
# Rules that these programs break in earnest stand in true_breaks, each with what it is and where that is to be read. They are
# counted apart ("true"); whatever is not there word for word is an alarm.
# Half of the runs of raftkv are without its marks, some without pre-vote, some with frequent snapshots. pysyncobj keeps
# neither term nor vote, so it is not restarted. libraft 0.15 is not among them by default: it has a mistake that a shaken
# run may set off (tests/cluster/figure8.sh).
set -eu
. "$(dirname "$0")/lib.sh"
runs=${2:-200} SEED=${SEED:-1} KEEP=${KEEP:-} JOBS=${JOBS:-$(nproc)} FROM=${FROM:-}
PROGRAMS=${PROGRAMS:-raftkv raftkv ovsdb raftkv pysyncobj} # in turn
export COMMANDS="${COMMANDS:-600}" RATE="${RATE:-150}"

# variant PROGRAM SEED: what this run is made with.
variant() {
    unset SNAPSHOT OPTIONS SHAKES_KINDS
    [ "$1" != pysyncobj ] || export SHAKES_KINDS="cut alone pause disk"
    [ "$1" = raftkv ] || return 0
    OPTIONS=
    [ $(($2 % 3)) -eq 0 ] || OPTIONS=--pre-vote
    [ $(($2 % 2)) -eq 0 ] || OPTIONS="$OPTIONS --no-marks"
    OPTIONS=${OPTIONS:---heartbeat 50}
    SNAPSHOT=$((32 << $2 % 5))
    export OPTIONS SNAPSHOT
}

# said RUN.json: what explain says of the run, "STATUS", then a line "PROPERTY" or "CLASS EVENT TEXT" for all that it found.
said() {
    jq -er '.verdict.status, (.verdict, .also_seen[] | .property // empty),
            (.cause, .rule_breaks[] | select(.class) | .class + " " + .event + " " + .text)' "$1"
}

# shellcheck disable=SC2317 # called by the name in true_breaks
# An ovsdb-server's entry of this index had been on stable storage, or was read from it at the start, and another one of a later term is written over it and
# acknowledged at EVENT: only then is T05 what true_breaks says of it.
replaces_synced() {
    index=$(echo "$3" | sed -n 's/.* acknowledged index \([0-9]*\) .*/\1/p')
    "$tools/facts" "$1" | awk -v node="${2%@*}" -v event="${2#*@}" -v index_="index=$index" '
        split($1, at, "@") == 2 && at[1] == node && at[2] + 0 <= event + 0 && / ovsdb append / && index($0 " ", " " index_ " ") {
            match($0, / term=[0-9]+/)
            term = substr($0, RSTART + 6, RLENGTH - 6) + 0
            if ($0 ~ / append (durable|loaded) /) synced = term
            if ($0 ~ / append written /) written = term
        }
        END { exit !(synced && written > synced) }'
}

# shellcheck disable=SC2317 # called by the name in true_breaks
# The ovsdb-server says in the turn of EVENT that it disregards a request for votes.
disregards_request() {
    event=${2#*@}
    "$drd" log --node "${2%@*}" --kind enter --from "${2%@*}@$((event - 20))" --to "$2" --json "$1" |
        grep -q '|raft|WARN|ignoring vote request received after only '
}

# is_true PROGRAM RUN LINE: whether this line stands in true_breaks, and its check, if it has one, agrees.
is_true() {
    while IFS='|' read -r program pattern check; do
        case $program in "#"* | "") continue ;; esac
        if [ "$program" = "$1" ] && echo "$3" | grep -Eqx -e "$pattern"; then
            [ -n "$check" ] || return 0
            event=${3#* }
            if "$check" "$2" "${event%% *}" "$3"; then return 0; fi
        fi
    done <"$bench/true_breaks"
    return 1
}

# look PROGRAM RUN STATUS LINES: adds a line "PROGRAM said alarms true status" to the file.
look() {
    "$drd" explain --json --no-source "$2" >"$2.json" 2>>"$2.said" || true
    said "$2.json" >"$2.words" 2>/dev/null || echo error >"$2.words"
    alarms=0 true=0 verdict=$(head -n 1 "$2.words")
    tail -n +2 "$2.words" >"$2.found"
    while read -r found; do
        if is_true "$1" "$2" "$found"; then
            true=$((true + 1))
        else
            alarms=$((alarms + 1))
            echo "$(basename "$2" .drd): $verdict: $found"
        fi
    done <"$2.found"
    if [ "$verdict" = error ]; then
        alarms=$((alarms + 1))
        echo "$(basename "$2" .drd): explain failed: $(tail -n 1 "$2.said")"
    fi
    echo "$1 $verdict $alarms $true $3" >>"$4"
    if [ -n "$KEEP" ] && [ $alarms -gt 0 ]; then cp "$2" "$KEEP/"; fi
    rm -f "$2.json" "$2.said" "$2.words" "$2.found"
}

# one PROGRAM SEED LINES
one() {
    run=$scratch/$1-$2.drd
    variant "$1" "$2"
    status=0
    SHAKE=$2 "$drd" record --timeout 120 -o "$run" -- sh "$workload/$1.sh" "$build" >"$run.said" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        echo "$1, seed $2: the workload ended with $status: $(grep -v '^shake\|^drd: recorded' "$run.said" | tail -n 1)" >&2
    fi
    look "$1" "$run" "$status" "$3"
    rm -f "$run"
}

# some FIRST: of all runs every JOBSth.
some() {
    # shellcheck disable=SC2086
    set -- "$1" $PROGRAMS
    number=$1
    shift
    while [ "$number" -lt "$runs" ]; do
        nth=$((number % $# + 1))
        eval "program=\${$nth}"
        one "$program" $((SEED + number)) "$scratch/lines.$first"
        number=$((number + JOBS))
    done
}

# Where a step waits for what the mistake would bring, the scene ends there.
scenes() {
    for scene in "$workload"/../raftkv/T*.sh; do
        run=$scratch/$(basename "$scene" .sh).drd
        status=0
        BUG=none WITHIN=1000 "$drd" record -o "$run" -- sh "$scene" "$build" >"$run.said" 2>&1 || status=$?
        look scenes "$run" $((status == 1)) "$scratch/lines.scenes"
        rm -f "$run"
    done
}

recorded() {
    for run in "$FROM"/*.drd; do
        name=$(basename "$run" .drd)
        ln -s "$(realpath "$run")" "$scratch/$name.drd"
        look "${name%%-*}" "$scratch/$name.drd" 0 "$scratch/lines.0"
        rm "$scratch/$name.drd"
    done
}

machine
began=$(date +%s) asked=0
if [ -n "$FROM" ]; then
    recorded
else
    workers="" asked=$runs
    trap 'kill $workers 2>/dev/null || true; rm -rf "$scratch"' EXIT
    first=0
    while [ $first -lt "$JOBS" ]; do
        some $first &
        workers="$workers $!"
        first=$((first + 1))
    done
    for worker in $workers; do
        wait "$worker" || echo "a worker ended with $?: its runs are missing" >&2
    done
    if [ "${SCENES:-no}" = yes ]; then scenes; fi
fi
cat "$scratch"/lines.* | awk -v asked="$asked" '
    { runs[$1]++; said[$1, $2]++; failed[$1] += $5 != 0; alarm[$1] += $3 > 0; real[$1] += !$3 && $4; alarms += $3 > 0 }
    END {
        printf "%-10s %5s %5s %8s %8s %6s %6s %6s %6s\n", "program", "runs", "none", "unknown", "violated", "error", "true",
               "alarms", "failed"
        for (name in runs)
            printf "%-10s %5d %5d %8d %8d %6d %6d %6d %6d\n", name, runs[name], said[name, "none"], said[name, "unknown"],
                   said[name, "violated"], said[name, "error"], real[name], alarm[name], failed[name]
        printf "%d of %d runs without a false alarm\n", NR - alarms, NR
        exit alarms > 0 || NR < asked + 0
    }' && status=0 || status=$?
echo "$(($(date +%s) - began)) s, $JOBS at a time"
exit "$status"
