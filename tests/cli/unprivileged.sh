#!/bin/sh
# What only somebody who is not root meets: directories that cannot be read, programs with the rights of others.
#   unprivileged.sh BUILD SCRATCH
. "$(dirname "$0")/lib.sh"

# as_user COMMAND...: as nobody where we are root.
as_user() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    command -v setpriv >/dev/null || { echo "skipped: no setpriv here"; exit 77; }
    chown -R 65534:65534 .
    as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    as_user test -x "$drd" -a -w "$scratch" || { echo "skipped: nobody cannot come to $drd and $scratch"; exit 77; }
fi
# refuse_user STATUS WORDS WORD...: drd WORD... as that user
refuse_user() {
    status_of_user=$1 words_of_user=$2
    shift 2
    refuse "$status_of_user" "$words_of_user" as_user "$drd" "$@"
}

expect 0 as_user "$drd" record -o run.drd -- /bin/echo hello
cp /bin/true program
as_user mkdir locked
cp run.drd program locked
chmod 755 locked/program
chmod 000 locked
refuse_user 128 "drd: *locked/new.drd: Permission denied" record -o locked/new.drd -- true
refuse_user 126 "drd: locked/program: Permission denied" record -o new.drd -- locked/program
for command in replay show log explain fsck; do
    refuse_user 128 "drd: *locked/run.drd: Permission denied*" $command locked/run.drd
done
refuse 128 "drd: *locked*: Permission denied" as_user env DRD_STORE="$scratch/locked/store" "$drd" record -- true
refuse 125 "drd: DRD_SPOOL_BASE=*: Permission denied" as_user env DRD_SPOOL_BASE="$scratch/locked" "$drd" record -o new.drd -- true
chmod 700 locked
[ "$(ls locked | tr '\n' ' ')" = "program run.drd " ] || wrong "something was left in the locked directory"

chmod 000 run.drd
for command in replay show log explain fsck; do
    refuse_user 128 "drd: *run.drd: Permission denied*" $command run.drd
done
refuse_user 128 "drd: *run.drd: Permission denied*" record -o run.drd -- true
chmod 600 run.drd

# A program with the rights of its owner: one of ours where we are root, else the one that every Debian has.
owned=$scratch/program
[ "$(id -u)" -ne 0 ] || { chown 0:0 program && chmod 4755 program; }
[ -u "$owned" ] || owned=/bin/su
if [ -u "$owned" ]; then
    expect 0 as_user "$drd" record -o run.drd -- "$owned" --version
    grep -q "${owned##*/} runs unrecorded: it is set-user-ID" err || wrong "a set-user-ID program"
    expect 0 as_user "$drd" record -o run.drd -- sh -c "$owned --version; $owned --version"
    [ "$(grep -c "${owned##*/} runs unrecorded" err)" -eq 1 ] || wrong "a set-user-ID program in a script: not one warning"
    refuse_user 125 "drd: *${owned##*/} cannot be recorded: it is set-user-ID*" record --strict -o new.drd -- "$owned" --version
fi
leave
