/* How processes ended, who sent them signals, and the last that they said. */
#include "report/triage.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "store/store.h"

#define WORDS_RECORDS 4000   /* of the end of a stream are searched for the last words */
#define SLACK_NS 20000000u   /* time stamps of two streams may be apart this far */

/* --- who was sent a signal: a bit each, by process --- */

static uint64_t bit(int64_t signal)
{
    return signal > 0 && signal <= 64 ? UINT64_C(1) << (signal - 1) : 0;
}

static bool lived(const struct store_process *p, uint64_t time)
{
    return p->start <= time + SLACK_NS && (!p->end || p->end + SLACK_NS >= time);
}

/* A signal to a process, which may have become another program since; to a group (0 and below), whose members are not known,
 * it may have gone to any. Times are no help: a sender that never waits has old ones. */
static void sent_to(const struct store_process *process, size_t count, int64_t pid, int64_t signal, uint64_t *sent)
{
    for (size_t i = 0; i < count; i++)
        if (pid <= 0 || process[i].pid == (int)pid)
            sent[i] |= bit(signal);
}

static void fault_to(const struct store_process *process, size_t count, const struct trace_event *event, uint64_t *sent)
{
    struct trace_bytes what = event->field_bytes[0], node = event->field_bytes[2];
    if (!what.data || what.length != 4 || memcmp(what.data, "kill", 4) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *name = process[i].node;
        if (lived(&process[i], event->time) && node.data && strlen(name) == node.length &&
            !memcmp(name, node.data, node.length))
            sent[i] |= bit(SIGKILL);
    }
}

static bool sends(const struct trace_event *event, int64_t *pid, int64_t *signal)
{
    switch (event->call) {
    case SYS_kill:
    case SYS_rt_sigqueueinfo:
        *pid = event->argument[0];
        *signal = event->argument[1];
        return true;
    case SYS_tgkill:
        *pid = event->argument[0];
        *signal = event->argument[2];
        return true;
    case SYS_pidfd_send_signal:
        *pid = 0; /* whose descriptor it is would take more looking */
        *signal = event->argument[1];
        return true;
    default:
        return false;
    }
}

/* abort() is a node's own doing, and no kill. */
static bool aborts(const struct store_process *p, int64_t pid, int64_t signal)
{
    return pid == p->pid && (signal == SIGABRT || signal == SIGSEGV || signal == SIGBUS || signal == SIGTRAP);
}

/* A parent may have been read before its child was known: then the child's status stands in the wait alone. */
static void note_wait(struct store_process *process, size_t count, const struct trace_event *event)
{
    int32_t status;
    if (event->call != SYS_wait4 || event->result <= 0 || event->output[1].length != sizeof status)
        return;
    memcpy(&status, event->output[1].data, sizeof status);
    if (!WIFEXITED(status) && !WIFSIGNALED(status))
        return;
    for (size_t i = count; i-- > 0;) { /* the last is what the others with its pid became */
        if (process[i].pid != event->result)
            continue;
        if (process[i].status == -1)
            process[i].status = status;
        return;
    }
}

static void scan(struct store *s, struct store_process *process, size_t count, size_t which, uint64_t *sent)
{
    struct trace_event event;
    int64_t pid, signal;
    struct stream *st = stream_open(s, process[which].number, NULL);
    while (st && stream_next(st, &event, NULL) == 1) {
        if (event.code == TRACE_FAULT)
            fault_to(process, count, &event, sent);
        else if (sends(&event, &pid, &signal) && !aborts(&process[which], pid, signal))
            sent_to(process, count, pid, signal, sent);
        else
            note_wait(process, count, &event);
    }
    stream_close(st);
}

/* --- crashes --- */

/* Signals that come from the program's own doing. */
static bool is_fatal(int signal)
{
    static const int fatal[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (fatal[i] == signal)
            return true;
    return false;
}

static bool died(const struct store_process *p, bool red)
{
    if (p->status == -1)
        return false;
    if (WIFSIGNALED(p->status))
        return is_fatal(WTERMSIG(p->status));
    return red && WIFEXITED(p->status) && WEXITSTATUS(p->status) != 0;
}

/* The programs of a cluster: its members, and what was given a name. The recorded command fails in ways of its own. */
static bool counts(const struct store_process *p, bool member)
{
    return member || (p->number > 1 && p->node[0] && !strchr(p->node, '#'));
}

/* It was to die so; or it was asked to end, and its exit code is the answer. SIGKILL asks nobody: it was meant for what ran
 * before under this name, or killed what this one, a shell, waited for. */
static bool asked(const struct store_process *p, uint64_t sent)
{
    if (WIFSIGNALED(p->status))
        return (sent & bit(WTERMSIG(p->status))) != 0;
    return (sent & ~bit(SIGKILL)) || (sent && WEXITSTATUS(p->status) == 128 + SIGKILL);
}

long ends_crash(struct store *s, struct store_process *process, size_t count, const bool *member, bool red)
{
    long first = -1;
    bool any = false;
    uint64_t *sent = calloc(count + 1, sizeof *sent);
    for (size_t i = 0; i < count; i++)
        any |= counts(&process[i], member[i]) && (process[i].status == -1 || died(&process[i], red && member[i]));
    for (size_t i = 0; sent && any && i < count; i++)
        scan(s, process, count, i, sent);
    for (size_t i = 0; sent && any && i < count; i++) {
        if (!counts(&process[i], member[i]) || !died(&process[i], red && member[i]) || asked(&process[i], sent[i]))
            continue;
        if (first < 0 || process[i].end < process[first].end)
            first = (long)i;
    }
    free(sent);
    return first;
}

void ends_status(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        if (name)
            snprintf(out, size, "SIG%s", name);
        else
            snprintf(out, size, "signal %d", WTERMSIG(status));
    } else {
        snprintf(out, size, "exit %d", WEXITSTATUS(status));
    }
}

/* --- last words --- */

/* The last line of a piece of output that holds a letter, as one line of printable text. */
static bool line_of(struct trace_bytes data, char *out, size_t size)
{
    size_t end = data.length, used = 0;
    bool letter = false;
    while (end && !letter) {
        size_t begin = end;
        while (begin && data.data[begin - 1] != '\n')
            begin--;
        for (size_t i = begin; i < end; i++)
            letter |= isalpha(data.data[i]) != 0;
        for (size_t i = begin; letter && i < end && used + 1 < size; i++)
            out[used++] = (char)(data.data[i] < ' ' || data.data[i] == 127 ? ' ' : data.data[i]);
        end = begin ? begin - 1 : 0;
    }
    while (used && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
    return used > 0;
}

void ends_words(struct store *s, const struct store_process *p, char *out, size_t size)
{
    struct trace_event event;
    char said[512];
    int best = 0;
    *out = '\0';
    struct stream *st = stream_open(s, p->number, NULL);
    if (st && p->events > WORDS_RECORDS && stream_seek(st, p->events - WORDS_RECORDS, NULL) != 1)
        best = 3;
    while (st && best < 3 && stream_next(st, &event, NULL) == 1) {
        int fd = (int)event.argument[0];
        if ((event.call != SYS_write && event.call != SYS_writev) || (fd != 1 && fd != 2) || fd < best)
            continue;
        if (event.input[1].data && line_of(event.input[1], said, sizeof said)) {
            snprintf(out, size, "%s", said);
            best = fd;
        }
    }
    stream_close(st);
}

/* --- environment --- */

static bool variable(struct unpack env, const char *name, char *out, size_t size)
{
    const uint8_t *p = env.data, *end = p + env.length;
    struct unpack u;
    size_t length = strlen(name);
    if (!p || !(p = unpack_next(p, end, &u)))
        return false;
    for (uint32_t left = u.count; left && (p = unpack_next(p, end, &u)); left--) {
        if (u.type == UNPACK_STR && u.length > length && u.data[length] == '=' && !memcmp(u.data, name, length)) {
            snprintf(out, size, "%.*s", (int)(u.length - length - 1), (const char *)u.data + length + 1);
            return *out != '\0';
        }
    }
    return false;
}

void ends_environment(struct store *s, const char *const *names, char *out, size_t size)
{
    struct trace_event event;
    struct unpack env;
    *out = '\0';
    struct stream *st = stream_open(s, 1, NULL);
    if (st && stream_next(st, &event, NULL) == 1 && event.code == TRACE_START &&
        trace_map_find(event.field_bytes[0], "env", &env) && env.type == UNPACK_ARRAY) {
        for (; *names; names++)
            if (variable(env, *names, out, size))
                break;
    }
    stream_close(st);
}
