#!/bin/sh
# Time and memory of drd explain by the size of the run: 10^4, 10^5, 10^6 Raft messages. Processor time stands beside the time on
# the clock, since machines are shared.
#   explain_size.sh [BUILD]     SIZES="10000 100000 1000000"; LOADS="libraft raftkv"; BUG=T05a for a raftkv that breaks a rule
#                               at every message; SNAPSHOT=2000 for a raftkv that compacts its log after so many entries, as
#                               long-lived clusters do (none does otherwise); KEEP=DIR keeps the runs
set -eu
. "$(dirname "$0")/lib.sh"
SIZES=${SIZES:-10000 100000 1000000} LOADS=${LOADS:-libraft raftkv} KEEP=${KEEP:-$scratch}
export SNAPSHOT="${SNAPSHOT:-100000000}" KILL=no RATE=0 WINDOW=16
[ -z "${BUG:-}" ] || export RAFTKV_BUG="$BUG"

# record LOAD RUN COMMANDS
record() {
    rm -f "$2"
    case $1 in libraft) only=libraft_kv ;; *) only=$1 ;; esac
    COMMANDS=$3 "$drd" record -o "$2" --only $only -- sh "$workload/$1.sh" >"$scratch/said" 2>&1 ||
        { tail -n 5 "$scratch/said" >&2; exit 1; }
}

# Raft messages of a run, as explain counts them.
messages() {
    "$drd" explain --no-source "$1" 2>&1 | sed -n 's/.* \([0-9,]*\) Raft messages.*/\1/p' | tr -d ,
}

line() {
    printf '%-8s %9d messages  %7.2f s  processor %7.2f s  peak %6.1f MiB  %s\n' "$1" "$2" "$3" "$4" "$5" "$6"
}

machine
echo "load average: $(cut -d ' ' -f 1-3 /proc/loadavg)"
for load in $LOADS; do
    record "$load" "$KEEP/$load.sample.drd" 2000
    sample=$(messages "$KEEP/$load.sample.drd")
    for size in $SIZES; do
        run=$KEEP/$load.$size.drd
        record "$load" "$run" $((size * 2000 / sample))
        count=$(messages "$run")
        "$tools/measure" "$scratch/measured" "$drd" explain --no-source "$run" >"$scratch/text" 2>&1 || true
        verdict=$(sed -n 's/^VERDICT  *\([a-z A-Z]*\).*/\1/p' "$scratch/text")
        m() { field "$1" <"$scratch/measured"; }
        line "$load" "$count" "$(awk "BEGIN { print $(m wall_ms) / 1000 }")" \
            "$(awk "BEGIN { print ($(m user_ms) + $(m system_ms)) / 1000 }")" "$(awk "BEGIN { print $(m peak_kb) / 1024 }")" "$verdict"
    done
done
