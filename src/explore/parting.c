#include "explore/parting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

struct side {
    struct store *store;
    struct store_process *process;
    size_t count;
};

struct parting {
    uint64_t time; /* ns, in its run; UINT64_MAX: none yet */
    char *words;
    size_t size;
};

static bool side_open(struct side *s, const char *path, struct drd_error *e)
{
    s->store = store_open(path, STORE_READ, e);
    return s->store && store_processes(s->store, &s->process, &s->count, e);
}

static void side_close(struct side *s)
{
    for (size_t i = 0; i < s->count; i++)
        store_process_fini(&s->process[i]);
    free(s->process);
    store_close(s->store);
}

/* "read = 5", or that there is nothing any more. */
static void event_words(const struct trace_event *e, char *out, size_t size)
{
    if (!e)
        snprintf(out, size, "nothing any more");
    else if (e->code == TRACE_START)
        snprintf(out, size, "start");
    else if (e->code >= 0 && e->complete)
        snprintf(out, size, "%s = %lld", trace_code_name(e->code), (long long)e->result);
    else
        snprintf(out, size, "%s", trace_code_name(e->code));
}

static void note(struct parting *p, const struct store_process *process, const struct trace_event *a,
                 const struct trace_event *b)
{
    char name[160], first[96], again[96];
    uint64_t time = a ? a->time : b->time;
    if (time >= p->time)
        return;
    p->time = time;
    event_name(process, a ? a->sequence : b->sequence, name, sizeof name);
    event_words(a, first, sizeof first);
    event_words(b, again, sizeof again);
    bool start = a && b && a->code == TRACE_START && b->code == TRACE_START;
    if (start)
        snprintf(p->words, p->size, "%s: it is started with another program, other arguments or another environment", name);
    else if (!strcmp(first, again))
        snprintf(p->words, p->size, "%s: %s, with other contents", name, first);
    else
        snprintf(p->words, p->size, "%s: %s, again: %s", name, first, again);
}

static bool same(const struct trace_event *a, const struct trace_event *b)
{
    return a->raw.length == b->raw.length && !memcmp(a->raw.data, b->raw.data, a->raw.length);
}

/* -1: one of them is damaged. */
static int streams_compare(struct parting *p, const struct store_process *process, struct stream *x, struct stream *y,
                           struct drd_error *e)
{
    struct trace_event a, b;
    for (;;) {
        int more = stream_next(x, &a, e), again = stream_next(y, &b, e);
        if (more < 0 || again < 0)
            return -1;
        if (!more && !again)
            return 0;
        if (!more || !again || !same(&a, &b))
            return note(p, process, more ? &a : NULL, again ? &b : NULL), 0;
        if (a.time > p->time)
            return 0; /* another process parted before */
    }
}

static int compare(struct parting *p, const struct side *first, const struct side *again, struct drd_error *e)
{
    int status = 0;
    for (size_t i = 0; status == 0 && (i < first->count || i < again->count); i++) {
        const struct store_process *a = i < first->count ? &first->process[i] : NULL;
        const struct store_process *b = i < again->count ? &again->process[i] : NULL;
        const struct store_process *one = a ? a : b;
        if (!a || !b) {
            if (one->start < p->time) {
                p->time = one->start;
                snprintf(p->words, p->size, "%.100s is started in one of them only", one->node);
            }
            continue;
        }
        struct stream *x = stream_open(first->store, a->number, e), *y = stream_open(again->store, b->number, e);
        status = x && y ? streams_compare(p, a, x, y, e) : -1;
        stream_close(x);
        stream_close(y);
    }
    return status < 0 ? -1 : p->time != UINT64_MAX;
}

int parting_find(const char *first, const char *again, char *words, size_t size, struct drd_error *e)
{
    struct side a = {0}, b = {0};
    struct parting p = {UINT64_MAX, words, size};
    int found = side_open(&a, first, e) && side_open(&b, again, e) ? compare(&p, &a, &b, e) : -1;
    side_close(&a);
    side_close(&b);
    return found;
}
