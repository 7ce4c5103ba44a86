/* gdb on a replayed process. gdb runs the commands of gdb.py; what these need to know or to have done they ask for through a
 * socket, and it is done here, beside gdb, which waits meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/session.h"

#define LOOK_INTERVAL 5000000L /* ns */
#define HANGS_AFTER 30         /* s without an event, where the options do not say */
#define GDB_INTERVAL 500       /* ms: between looks whether gdb is still there */
#define REQUEST_MAX 4096
#define CHANNEL_ENV "DRD_GDB_CHANNEL"

struct replay_debugged {
    struct replay *replay;
    struct slot *slot;
    size_t target;              /* index of the process */
    struct replay_file *fresh;  /* the headers of the group's members as they were before anything ran */
    int signals;                /* signalfd of those that are blocked */
    int channel;
    char request[REQUEST_MAX];  /* that has been read of the next one */
    size_t length;
};

extern const char gdb_script[], gdb_script_end[];
__asm__(".pushsection .rodata\n"
        ".globl gdb_script, gdb_script_end\n"
        "gdb_script: .incbin \"replay/gdb.py\"\n"
        "gdb_script_end: .byte 0\n"
        ".popsection");

const struct replay_file *replay_debugged_file(const struct replay_debugged *d)
{
    return d->replay->header[d->target];
}

void replay_debugged_until(struct replay_debugged *d, uint64_t sequence)
{
    d->replay->header[d->target]->until = sequence;
}

static size_t target(const struct replay *r, const struct slot *slot)
{
    for (size_t i = 0; i < slot->group->members; i++)
        if (r->process[slot->group->member[i]].number == r->options.until_process)
            return slot->group->member[i];
    return slot->group->member[0];
}

/* ---- on the way to the event ---- */

/* Ctrl-C: whoever waits has changed his mind. */
static bool interrupted(const struct replay_debugged *d)
{
    struct signalfd_siginfo info;
    bool asked = false;
    while (read(d->signals, &info, sizeof info) == (ssize_t)sizeof info)
        asked |= info.ssi_signo == SIGINT;
    return asked;
}

static bool has_ended(const struct replay_debugged *d)
{
    siginfo_t gone = { 0 };
    uint32_t state = replay_debugged_file(d)->state;
    return state == REPLAY_DIVERGED || state == REPLAY_FAILED || state == REPLAY_FINISHED ||
           waitid(P_PID, (id_t)d->slot->leader, &gone, WEXITED | WNOHANG | WNOWAIT) || gone.si_pid;
}

static bool is_hung(const struct replay_debugged *d, uint64_t *events, uint64_t *moved)
{
    const struct replay_options *options = &d->replay->options;
    uint64_t now = session_now(), sum = 0;
    for (size_t k = 0; k < d->slot->group->members; k++)
        sum += __atomic_load_n(&d->replay->header[d->slot->group->member[k]]->events, __ATOMIC_RELAXED);
    if (sum != *events || !*moved) {
        *events = sum;
        *moved = now;
    }
    return now - *moved > (options->patience ? options->patience : HANGS_AFTER) * 1000000000ull;
}

/* The process polls until it is traced, so it is not attached to before it has come to the event: every trapped call
 * would go through the debugger. */
static bool wait_until_there(struct replay_debugged *d, struct drd_error *e)
{
    const struct replay_file *file = replay_debugged_file(d);
    const struct timespec pause = { 0, LOOK_INTERVAL };
    uint64_t events = 0, moved = 0;
    bool ended = false, hung = false;
    while (__atomic_load_n(&file->state, __ATOMIC_ACQUIRE) != REPLAY_STOPPED && !ended && !hung) {
        ended = has_ended(d);
        hung = is_hung(d, &events, &moved);
        if (interrupted(d))
            replay_debugged_until(d, 0); /* stop at the next event, whatever it is */
        nanosleep(&pause, NULL);
    }
    if (file->state == REPLAY_STOPPED)
        return true;
    char event[128];
    event_name(&d->replay->process[d->target], file->events, event, sizeof event);
    return error_set(e, DRD_EXIT_CANNOT, "the replay %s at %s, before the event asked for%s%.200s",
                     hung ? "hangs" : "ended", event, file->what[0] ? ": " : "", file->what);
}

static void group_kill(struct replay_debugged *d)
{
    kill(-d->slot->leader, SIGKILL);
    while (waitpid(-d->slot->leader, NULL, 0) > 0 || errno == EINTR)
        ;
}

bool replay_debugged_restart(struct replay_debugged *d, uint64_t sequence, struct drd_error *e)
{
    group_kill(d);
    for (size_t k = 0; k < d->slot->group->members; k++)
        *d->replay->header[d->slot->group->member[k]] = d->fresh[k];
    d->replay->header[d->target]->echo = false; /* all that has been seen */
    replay_debugged_until(d, sequence);
    if (!session_launch(d->replay, d->slot, e) || !wait_until_there(d, e))
        return false;
    d->replay->header[d->target]->echo = true;
    return true;
}

/* ---- gdb ---- */

static bool file_write(const struct stage *stage, const char *name, const char *text, size_t length, char path[PATH_MAX],
                       struct drd_error *e)
{
    snprintf(path, PATH_MAX, "%s/%s", stage->path, name);
    FILE *f = fopen(path, "we");
    bool ok = f && fwrite(text, 1, length, f) == length;
    ok = f && !fclose(f) && ok;
    return ok || error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
}

/* Of a pack, gdb is to look for all files where they are laid out: in the process they have the paths that were recorded. */
static bool before_write(const struct replay_debugged *d, char path[PATH_MAX], struct drd_error *e)
{
    static const char always[] = "handle SIGSYS nostop noprint pass\n";
    struct replay *r = d->replay;
    const char *root = session_root(r);
    char text[6 * PATH_MAX];
    struct manifest m;
    if (!root)
        return file_write(&r->stage, "before.gdb", always, sizeof always - 1, path, e);
    if (!session_manifest(r, d->slot->group->member[0], &m, e))
        return false;
    int length = snprintf(text, sizeof text, "%sset sysroot %s\nset debug-file-directory %s%s:%s\nfile %s%s\n", always, root, root,
                          BUILD_ID_DEBUG, build_id_debug_directory(), root, m.program);
    manifest_fini(&m);
    return file_write(&r->stage, "before.gdb", text, (size_t)length, path, e);
}

/* Files for gdb to read, in this order: what every gdb understands; the commands; and for a gdb without Python, which has
 * stopped reading the commands at their first line, to be on the process at least. */
static bool scripts_write(const struct replay_debugged *d, char path[3][PATH_MAX], struct drd_error *e)
{
    char after[512];
    int length = snprintf(after, sizeof after,
                          "if $_isvoid($drd)\n"
                          "echo drd: this gdb runs no Python: none of the drd- commands are there\\n\n"
                          "attach %u\nend\n", replay_debugged_file(d)->pid);
    const struct stage *stage = &d->replay->stage;
    return before_write(d, path[0], e) &&
           file_write(stage, "drd.py", gdb_script, (size_t)(gdb_script_end - gdb_script), path[1], e) &&
           file_write(stage, "after.gdb", after, (size_t)length, path[2], e);
}

static char **command_line(char *const *words, char path[3][PATH_MAX])
{
    size_t n = 0, at = 0;
    while (words[n])
        n++;
    char **argv = calloc(n + 9, sizeof *argv);
    if (!argv)
        return NULL;
    argv[at++] = "gdb";
    argv[at++] = "-q";
    for (int i = 0; i < 3; i++) {
        argv[at++] = "-x";
        argv[at++] = path[i];
    }
    memcpy(argv + at, words, n * sizeof *argv);
    return argv;
}

static pid_t gdb_start(const struct replay_debugged *d, char *const *argv, int channel)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    char number[16];
    snprintf(number, sizeof number, "%d", channel);
    setenv(CHANNEL_ENV, number, 1);
    fcntl(channel, F_SETFD, 0);
    sigprocmask(SIG_SETMASK, &d->replay->old_mask, NULL);
    execvp(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 126);
}

/* ---- what gdb asks ---- */

static bool reply(const struct replay_debugged *d, const char *text, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = send(d->channel, text + done, length - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool answer(struct replay_debugged *d, const char *request)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return false;
    d->replay->options.answer(d->replay->options.context, d, request, out);
    bool ok = !fclose(out) && length && reply(d, text, length);
    free(text);
    return ok;
}

/* False: nobody is there any more, or talks nonsense. */
static bool serve(struct replay_debugged *d)
{
    ssize_t n = recv(d->channel, d->request + d->length, sizeof d->request - d->length, 0);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    d->length += (size_t)n;
    for (char *end; (end = memchr(d->request, '\n', d->length)); ) {
        *end++ = 0;
        if (!answer(d, d->request))
            return false;
        d->length -= (size_t)(end - d->request);
        memmove(d->request, end, d->length);
    }
    return d->length < sizeof d->request;
}

/* Ctrl-C is gdb's. A thread that blocks SIGINT does not feel it: it stops at its next event. */
static void stop_soon(struct replay_debugged *d)
{
    if (interrupted(d) && replay_debugged_file(d)->state == REPLAY_RUNNING)
        replay_debugged_until(d, 0);
}

/* Until gdb ends; its status. */
static int attend(struct replay_debugged *d, pid_t pid)
{
    int status = 0;
    struct pollfd p[2] = { { .fd = d->signals, .events = POLLIN }, { .fd = d->channel, .events = POLLIN } };
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (poll(p, 2, GDB_INTERVAL) <= 0)
            continue;
        if (p[0].revents)
            stop_soon(d);
        if (p[1].revents && !serve(d))
            p[1].fd = -1;
    }
    return status;
}

static bool gdb_run(struct replay_debugged *d, struct drd_error *e)
{
    char path[3][PATH_MAX];
    int pair[2];
    if (!scripts_write(d, path, e))
        return false;
    char **argv = command_line(d->replay->options.debugger, path);
    if (!argv)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        free(argv);
        return error_set_errno(e, DRD_EXIT_CANNOT, "socketpair");
    }
    d->channel = pair[0];
    pid_t pid = gdb_start(d, argv, pair[1]);
    close(pair[1]);
    int status = pid > 0 ? attend(d, pid) : 0;
    close(pair[0]);
    free(argv);
    bool ok = pid > 0 && !(WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126));
    return ok || error_set(e, DRD_EXIT_CANNOT, "cannot start gdb: is it installed?");
}

static bool debugged_init(struct replay_debugged *d, struct replay *r, struct slot *slot)
{
    sigset_t taken;
    *d = (struct replay_debugged){ .replay = r, .slot = slot, .target = target(r, slot), .signals = -1 };
    sigprocmask(SIG_BLOCK, NULL, &taken);
    d->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    d->fresh = calloc(slot->group->members, sizeof *d->fresh);
    for (size_t k = 0; d->fresh && k < slot->group->members; k++) {
        size_t i = slot->group->member[k];
        stage_header(&d->fresh[k], &r->stage, r->process[i].number, r->header[i]->bytes, r->header[i]->until);
        d->fresh[k].wait_for_debugger = i == d->target;
        session_echo(r, i, &d->fresh[k]);
    }
    return d->fresh && d->signals >= 0;
}

bool session_debug(struct replay *r, struct slot *slot, struct drd_error *e)
{
    struct replay_debugged d;
    bool ok = debugged_init(&d, r, slot) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    ok = ok && wait_until_there(&d, e);
    if (ok)
        r->header[d.target]->echo = true;
    ok = ok && gdb_run(&d, e);
    if (d.signals >= 0)
        close(d.signals);
    free(d.fresh);
    return ok;
}
