# shellcheck shell=sh
# What the scripts of this folder share. They are called as SCRIPT BUILD SCRATCH and begin with
#   . "$(dirname "$0")/lib.sh"
# which makes SCRATCH anew and the current directory, with room for temporary files and spools: `leave` looks into both.
set -eu
drd=$1/drd
scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch/tmp" "$scratch/spool"
cd "$scratch"
export TMPDIR="$scratch/tmp" DRD_SPOOL_BASE="$scratch/spool"
unset DRD_NODE DRD_SPOOL DRD_CONTROL
failed=0

wrong() {
    echo "$(basename "$0"): $*"
    head -n 5 out err
    failed=1
}

# expect STATUS COMMAND...: leaves out and err.
expect() {
    status=$1 got=0
    shift
    "$@" >out 2>err </dev/null || got=$?
    [ "$got" -eq "$status" ] || wrong "$*: status $got, wanted $status"
}

# refuse STATUS WORDS COMMAND...: one line on stderr that fits WORDS (a shell pattern), nothing on stdout, no run file, no spool.
refuse() {
    wanted=$1 words=$2
    shift 2
    expect "$wanted" "$@"
    # shellcheck disable=SC2254
    case $(cat err) in
    $words) ;;
    *) wrong "$*: wanted $words" ;;
    esac
    [ "$(wc -l <err)" -eq 1 ] || wrong "$*: not one line"
    [ ! -s out ] || wrong "$*: something on stdout"
    [ ! -e new.drd ] || wrong "$*: left a run file"
    [ -z "$(find spool tmp -mindepth 1)" ] || wrong "$*: left something behind"
}

# What every command that reads a run says of this one.
refuse_all() {
    wanted_of_all=$1 words_of_all=$2 file=$3
    for command in replay show log explain fsck; do
        refuse "$wanted_of_all" "$words_of_all" "$drd" $command "$file"
    done
}

# wait_for COMMAND...: until it succeeds, a minute at most.
wait_for() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || { wrong "waited in vain: $*"; return 0; }
        sleep 0.05
    done
}

being_recorded() {
    "$drd" fsck "$1" 2>&1 | grep -q "being recorded"
}

leave() {
    [ -z "$(find spool tmp -mindepth 1)" ] || wrong "left behind: $(find spool tmp -mindepth 1)"
    exit $failed
}
