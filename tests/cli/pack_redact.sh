#!/bin/sh
# drd pack --redact: what is explained of a run is the same without its contents, and none of them is left in the file.
#   pack_redact.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.sh"
tools=$1/tests/tools

# same NAME STATUS COMMAND [WORD...]: drd COMMAND --json NAME.drd WORD... says what it says of NAME.r.drd; it ends with STATUS.
same() {
    name=$1 status=$2 command=$3
    shift 3
    expect "$status" "$drd" "$command" --json "$name.drd" "$@"
    cp out one.json
    expect "$status" "$drd" "$command" --json "$name.r.drd" "$@"
    python3 "$root/tests/tools/redacted_same.py" one.json out >differs || { wrong "$command: $name.r.drd"; cat differs; }
}

# All kinds of mistakes: the same verdict, cause, chain, stack and fingerprint.
for run in "$root"/traces/T*.drd; do
    name=$(basename "$run" .drd)
    cp "$run" "$name.drd"
    expect 0 "$drd" pack --redact -o "$name.r.drd" "$name.drd"
    status=0
    "$drd" explain "$name.drd" >/dev/null || status=$?
    same "$name" "$status" explain
    "$tools/facts" "$name.drd" | cut -d ' ' -f 1-3 >one
    "$tools/facts" "$name.r.drd" | cut -d ' ' -f 1-3 >other
    cmp -s one other || wrong "$name: other facts"
done
same T07 0 blame 2
same T16 0 blame 14
expect 0 "$drd" fsck T07.r.drd
expect 0 "$drd" pack --redact -o twice.drd T07.drd
cmp T07.r.drd twice.drd || wrong "redacted twice, other bytes"
expect 0 "$drd" diff --exit-code T07.r.drd twice.drd
mkdir ours.d theirs.d
cp T07.drd T16.drd ours.d
for name in T07 T16; do cp $name.r.drd theirs.d/$name.drd; done
"$drd" triage --json ours.d | grep -o '"fingerprint":"[^"]*"' | sort >ours
"$drd" triage --json theirs.d | grep -o '"fingerprint":"[^"]*"' | sort >theirs
[ -s ours ] || wrong "no fingerprint"
cmp -s ours theirs || wrong "other fingerprints"
expect 0 "$drd" log T07.r.drd
[ "$("$drd" log T07.drd | wc -l)" -eq "$(wc -l <out)" ] || wrong "other events"
expect 1 "$drd" explain T07.r.drd
grep -q '^REPRODUCE  *from the run that this one was made of' out || wrong "a line that cannot work is given to reproduce it"
refuse 125 "drd: T07.r.drd was redacted: what its processes were given is not in it*" "$drd" replay T07.r.drd
refuse 128 "drd: T07.r.drd: it is redacted already*" "$drd" pack --redact -o new.drd T07.r.drd
refuse 128 "drd: T07.r.drd: it is redacted already*" "$drd" pack -o new.drd T07.r.drd
export DRD_STORE="$scratch/store"
expect 0 "$drd" unpack T07.r.drd
expect 1 "$drd" explain @
unset DRD_STORE

# Nothing of what was said, read, written, given in arguments and in the environment is left.
expect 0 env VARIABLE=environmentword "$drd" record -o secret.drd -- sh "$root/tests/cluster/workload/words.sh" "$1" argumentword
expect 0 "$drd" replay secret.drd
expect 0 "$drd" pack --redact -o secret.r.drd secret.drd
grep -q '^drd: warning: secret.r.drd holds digests for contents; names of nodes and programs' err || wrong "no warning"
words="keyword valueword secondkey argumentword environmentword fileword1 VARIABLE=env words.sh"
# shellcheck disable=SC2086
expect 1 "$tools/run_search" secret.drd $words
[ "$(wc -l <out)" -eq 8 ] || wrong "not all words are in the run itself"
# shellcheck disable=SC2086
expect 0 "$tools/run_search" secret.r.drd $words
same secret 0 explain
expect 0 "$drd" fsck secret.r.drd
leave
