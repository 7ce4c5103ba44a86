#!/bin/sh
# drd simulate: nodes that cannot be simulated are named, wrong models and plans are refused at their line.
#   simulate_bad.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
cc=${CC:-cc}
simulate="$drd simulate -o new.drd"

# ends STATUS WORDS COMMAND...: the world ends, and one line of stderr fits WORDS (a shell pattern)
ends() {
    wanted=$1 words=$2 found=
    shift 2
    rm -f new.drd
    expect "$wanted" "$@"
    while read -r line; do
        # shellcheck disable=SC2254
        case $line in $words) found=yes ;; esac
    done <err
    [ -n "$found" ] || wrong "$*: wanted $words"
}

# ---- a node that only spins: who, and where
cat >spins.c <<'END'
#include <sys/types.h>
#include <unistd.h>
static volatile int never;
void waits_for_ever(void)
{
    while (!never) /* line 6 */
        ;
}
int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1 && fork() == 0)
        pause();
    waits_for_ever();
    return 0;
}
END
$cc -g -O1 -o spins spins.c
DRD_NODE=n7 ends 125 'drd: node n7 (spins, process 100) has computed for 1 s without a system call: a node that only spins cannot be simulated: in waits_for_ever (spins.c:6)' \
    $simulate --patience 1 -- ./spins
ends 125 'drd: spins (process 10*) has computed for 1 s without*: in waits_for_ever (spins.c:6)' $simulate --patience 1 -- sh -c './spins child & wait'
expect 0 "$drd" fsck new.drd

# one thread waits in memory for another
cat >thread.c <<'END'
#include <pthread.h>
static volatile int flag;
static void *sets(void *nothing)
{
    flag = 1;
    return nothing;
}
int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, sets, NULL);
    while (!flag)
        ;
    return pthread_join(t, NULL);
}
END
$cc -g -o thread thread.c -lpthread
ends 125 'drd: thread (process 100) has computed for 1 s without a system call*: in main (thread.c:1[23])' $simulate --patience 1 -- ./thread

# ---- statically linked: as the command, by exec, by a script that interprets itself so
printf '#include <unistd.h>\nint main(void)\n{\n    return write(1, "it ran\\n", 7) != 7;\n}\n' >fixed.c
if $cc -static -o fixed fixed.c 2>cc.err; then
    rm -f new.drd
    refuse 125 'drd: ./fixed cannot be simulated: it is statically linked' $simulate -- ./fixed
    ends 125 'drd: fixed cannot be simulated: it is statically linked' $simulate -- sh -c './fixed; echo went on'
    ! grep -q 'it ran\|went on' out || wrong "a static program ran for real"
    printf '#!%s/fixed\n' "$PWD" >script
    chmod +x script
    ends 125 'drd: script cannot be simulated: it is statically linked' $simulate -- sh -c './script; echo went on'
    ! grep -q 'it ran\|went on' out || wrong "a static interpreter ran for real"
    refuse_explore=$("$drd" explore --runs 4 -- sh -c ./fixed 2>&1 || true)
    case $refuse_explore in *'fixed cannot be simulated: it is statically linked'*) ;; *) wrong "explore says: $refuse_explore" ;; esac
else
    echo "no static libc here: not looked at"
fi

# ---- io_uring: who needs it is named, who falls back is simulated
cat >ring.c <<'END'
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct io_uring_params p;
    memset(&p, 0, sizeof p);
    if (syscall(SYS_io_uring_setup, 8, &p) >= 0)
        return 0;
    if (argc > 1 && !strcmp(argv[1], "aborts"))
        abort();
    return argc > 1 ? 0 : 3;
}
END
if $cc -o ring ring.c 2>cc.err; then
    ends 125 'drd: ring (process 10*) asked for io_uring, was refused, and ended with status 3: a node that needs io_uring cannot be simulated' \
        $simulate -- sh -c './ring; exit 0'
    ends 125 'drd: ring (process 10*) asked for io_uring, was refused, and ended with signal 6: *' $simulate -- sh -c './ring aborts; exit 0'
    rm -f new.drd
    expect 0 $simulate -- ./ring falls back
else
    echo "no linux/io_uring.h here: not looked at"
fi

# ---- every process waits for ever
ends 125 'drd: every process waits for ever at 0.0* s of the world*' $simulate -- sleep infinity
ends 124 'drd: the limit of 5.000 s of the world* is over' $simulate --limit 5 -- sleep 1000

# ---- nobody outlives the world
for file in spins thread fixed ring; do
    ! pgrep -f "^(sh -c )?\./$file" | while read -r pid; do
        [ "$(readlink "/proc/$pid/cwd")" != "$PWD" ] || echo "$pid"
    done | grep . || wrong "$file is left behind"
done

# ---- models and plans: the file, the line, the word, and what is known
rm -f new.drd
model() {
    printf "$1" >model
    refuse 129 "drd: model: $2" $simulate --model model -- true
    printf "$1" | refuse_input "drd: standard input: $2" $simulate --model - -- true
}
refuse_input() {
    words=$1 got=0
    shift
    "$@" >out 2>err || got=$?
    # shellcheck disable=SC2254
    case $(cat err) in $words) ;; *) wrong "$*: wanted $words" ;; esac
    [ "$got" = 129 ] || wrong "$*: status $got"
}
model 'cut 1\nexplode 2\n' 'line 2: explode: not a word of a model; from, *'
model 'cut\n' 'line 1: (nothing): not a weight*'
model 'cut 1001\n' 'line 1: 1001: not a weight from 0 to 1000'
model 'cut 1 2s 3s\n' 'line 1: 3s: one word too many'
model '# well\n\nfrom soon\n' 'line 3: soon: not a time such as 2s'
model 'every 0s\n' 'line 1: 0s: not a time*'
refuse 129 'drd: nothing.model: No such file*' $simulate --model nothing.model -- true
printf 'cut 2 1s\nuntil 2s\n' | "$drd" simulate --model - -o new.drd -- sleep 1 >out 2>err || wrong "a model from standard input"
rm -f new.drd

plan() {
    printf "$1" >plan
    refuse 129 "drd: plan: $2" $simulate --plan plan -- true
}
plan 'at 0.4 crash n1\nat 1.0 lie n1\n' 'line 2: lie: not a fault; cut, *'
plan 'at soon crash n1\n' 'line 1: soon: not a moment in seconds'
plan 'event 12 drop\n' 'line 1: 12: not *'
plan 'event 12@5 forget\n' 'line 1: forget: not *'
plan 'when 1 crash n1\n' 'line 1: when: not *'
refuse 129 'drd: --limit: a time is not below zero' $simulate --limit -1 -- true
refuse 129 'drd: --patience: a time is not below zero' $simulate --patience -1 -- true
leave
