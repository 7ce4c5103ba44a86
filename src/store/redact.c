#include "store/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "store/internal.h"
#include "trace/msgpack.h"
#include "trace/record.h"

#define PIECE (1u << 18) /* bytes of a chunk */

/* ---- digests ---- */

bool redact_key_make(struct redact_key *key, struct store *run, struct drd_error *e)
{
    struct store_process *process = NULL;
    size_t count = 0;
    struct sha256 hash;
    bool ok = store_processes(run, &process, &count, e);
    sha256_init(&hash);
    for (size_t i = 0; i < count; i++) {
        struct trace_event start;
        struct stream *st = ok ? stream_open(run, process[i].number, e) : NULL;
        int more = st ? stream_next(st, &start, e) : -1;
        if (more > 0)
            sha256_add(&hash, start.raw.data, start.raw.length);
        ok = ok && more >= 0;
        stream_close(st);
        store_process_fini(&process[i]);
    }
    sha256_end(&hash, key->byte);
    free(process);
    return ok;
}

static void digest_of(const struct redact_key *key, const void *content, size_t length, uint8_t out[SHA256_SIZE])
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, key->byte, sizeof key->byte);
    sha256_add(&hash, content, length);
    sha256_end(&hash, out);
}

void redact_text(const struct redact_key *key, const void *content, size_t length, char out[REDACT_TEXT])
{
    uint8_t digest[SHA256_SIZE];
    *out = 0;
    if (!length)
        return;
    digest_of(key, content, length, digest);
    snprintf(out, REDACT_TEXT, "~%02x%02x%02x%02x%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3], digest[4], digest[5],
             digest[6], digest[7]);
}

uint64_t redact_number(const struct redact_key *key, uint64_t number)
{
    uint8_t digest[SHA256_SIZE];
    if (!number)
        return 0;
    digest_of(key, &number, sizeof number, digest);
    memcpy(&number, digest, sizeof number);
    return number ? number : 1;
}

/* ---- records ---- */

struct redaction {
    const struct redact_key *key;
    struct buffer *out;
    struct drd_error *error;
};

static bool copy(struct redaction *r, const uint8_t *from, const uint8_t *to)
{
    return buffer_append(r->out, from, (size_t)(to - from), r->error);
}

/* Objects with each text and each piece of data replaced. Those of arrays and maps follow their headers. */
static bool replace(struct redaction *r, const uint8_t *p, const uint8_t *end)
{
    while (p && p < end) {
        struct unpack u;
        char text[REDACT_TEXT];
        uint8_t head[PACK_MAX];
        const uint8_t *next = unpack_next(p, end, &u);
        if (!next)
            return error_set(r->error, DRD_EXIT_FATAL, "a record to redact is damaged");
        if (u.type == UNPACK_STR || u.type == UNPACK_BIN) {
            redact_text(r->key, u.data, u.length, text);
            uint32_t length = (uint32_t)strlen(text);
            uint8_t *after = u.type == UNPACK_STR ? pack_str_header(head, length) : pack_bin_header(head, length);
            if (!copy(r, head, after) || !buffer_append(r->out, text, length, r->error))
                return false;
        } else if (!copy(r, p, next))
            return false;
        p = next;
    }
    return true;
}

/* Calls whose data are numbers and addresses, never contents: what is not in this list is replaced. */
static bool call_is_bare(int32_t call)
{
    static const int bare[] = {
        SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_epoll_ctl, SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_wait4,
        SYS_waitid, SYS_accept, SYS_accept4, SYS_bind, SYS_connect, SYS_getsockname, SYS_getpeername, SYS_pipe, SYS_pipe2,
        SYS_socketpair, SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_time,
        SYS_timerfd_settime, SYS_timerfd_gettime, SYS_setitimer, SYS_getitimer, SYS_getrusage, SYS_times, SYS_fstat, SYS_prlimit64,
        SYS_getrlimit, SYS_setrlimit, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_rt_sigsuspend,
        SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getparam, SYS_futex,
        SYS_getresuid, SYS_getresgid,
    };
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        if (bare[i] == call)
            return true;
    return false;
}

static bool event_is_bare(const struct trace_event *event)
{
    switch (event->code) {
    case TRACE_MARK: case TRACE_START: case TRACE_EXEC: case TRACE_MAPPED:
        return false;
    case TRACE_ENTER:
        return call_is_bare(event->call);
    default:
        return event->code >= 0 ? call_is_bare(event->code) : event->code >= TRACE_CODE_MIN;
    }
}

static bool key_is_bare(const struct unpack *key)
{
    static const char *const bare[] = {
        "how", "parent", "same_pid", "pid", "ppid", "tid", "monotonic", "realtime", "exe", "program", "node", "gate", "ignored",
        "blocked", "stack_limit", "stack", "auxv", "objects",
    };
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        if (key->type == UNPACK_STR && key->length == strlen(bare[i]) && !memcmp(key->data, bare[i], key->length))
            return true;
    return false;
}

/* The array's header, its code, the map's header, then pairs. What the loader had mapped stays, and how the process came to be. */
static bool redact_start(struct redaction *r, const uint8_t *p, const uint8_t *end)
{
    struct unpack u;
    const uint8_t *begin = p, *value = NULL;
    for (int i = 0; p && i < 3; i++)
        p = unpack_next(p, end, &u);
    bool ok = p && u.type == UNPACK_MAP && copy(r, begin, p);
    for (uint32_t left = ok ? u.count : 0; ok && left; left--) {
        struct unpack key;
        begin = p;
        value = unpack_next(p, end, &key);
        p = value ? unpack_skip(value, end) : NULL;
        ok = p && (key_is_bare(&key) ? copy(r, begin, p) : copy(r, begin, value) && replace(r, value, p));
    }
    return ok || error_set(r->error, DRD_EXIT_FATAL, "the beginning of a stream cannot be redacted");
}

/* The path of the program stays, its arguments do not. */
static bool redact_exec(struct redaction *r, const uint8_t *p, const uint8_t *end)
{
    struct unpack u;
    const uint8_t *begin = p;
    for (int i = 0; p && i < 3; i++)
        p = unpack_next(p, end, &u);
    return p && copy(r, begin, p) && replace(r, p, end);
}

static bool redact_event(struct redaction *r, const struct trace_event *event)
{
    const uint8_t *p = event->raw.data, *end = p + event->raw.length;
    if (event->code == TRACE_START)
        return redact_start(r, p, end);
    if (event->code == TRACE_EXEC)
        return redact_exec(r, p, end);
    return event_is_bare(event) ? copy(r, p, end) : replace(r, p, end);
}

/* ---- streams ---- */

struct piece {
    struct buffer bytes;
    uint64_t records;
    struct trace_state state; /* before the first of them */
};

static bool flush(struct store *out, uint32_t process, struct piece *piece, const struct stream *st, struct drd_error *e)
{
    if (piece->records && !store_chunk_append(out, process, &piece->state, piece->bytes.data, piece->bytes.length, piece->records, e))
        return false;
    piece->bytes.length = piece->records = 0;
    piece->state = *stream_state(st);
    return true;
}

/* `p` gets the lengths of what the copy has. */
static bool redact_stream(struct store *run, struct store *out, const struct redact_key *key, struct store_process *p,
                          struct drd_error *e)
{
    struct piece piece = { .records = 0 };
    struct redaction r = { key, &piece.bytes, e };
    struct trace_event event;
    uint64_t seen = 0, bytes = 0, draft = 0, whole = p->bytes - (p->draft < p->bytes ? p->draft : p->bytes);
    struct stream *st = stream_open(run, p->number, e);
    int more = st ? 1 : -1;
    while (more > 0 && (more = stream_next(st, &event, e)) > 0) {
        size_t before = piece.bytes.length;
        more = redact_event(&r, &event) ? 1 : -1;
        size_t length = piece.bytes.length - before;
        bytes += length;
        draft += seen >= whole ? length : 0;
        seen += event.raw.length;
        piece.records++;
        if (more > 0 && piece.bytes.length >= PIECE && !flush(out, p->number, &piece, st, e))
            more = -1;
    }
    bool ok = more == 0 && flush(out, p->number, &piece, st, e);
    stream_close(st);
    free(piece.bytes.data);
    p->bytes = bytes;
    p->draft = draft;
    return ok;
}

bool redact_streams(struct store *run, struct store *out, const struct redact_key *key, struct drd_error *e)
{
    struct store_process *process = NULL;
    size_t count = 0;
    bool ok = store_processes(run, &process, &count, e);
    for (size_t i = 0; i < count; i++) {
        ok = ok && redact_stream(run, out, key, &process[i], e) && store_process_put(out, &process[i], e);
        store_process_fini(&process[i]);
    }
    free(process);
    return ok;
}

bool redact_is(struct store *s)
{
    return store_fact(s, "redacted", NULL, 0);
}
