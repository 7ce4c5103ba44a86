/* Whether runs hold the same streams, byte for byte, whatever chunks they were cut into.
 *
 *   same [--nodes] A B...    --nodes: but for what drd itself wrote down
 *
 * Says of each of B where it differs first, at which byte and event. Exit 0: all the same, 1: not, 2: a run cannot be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/store.h"
#include "trace/reader.h"

struct bytes {
    uint8_t *at;
    uint64_t size;
};

struct run {
    struct bytes *stream; /* by place in the list of processes */
    struct store_process *process;
    size_t count;
};

static bool stream_load(struct store *s, uint32_t process, struct bytes *b, struct drd_error *e)
{
    int fd = memfd_create("stream", MFD_CLOEXEC);
    bool ok = fd >= 0 && stream_copy(s, process, fd, &b->size, e);
    b->at = ok && b->size ? mmap(NULL, b->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool run_load(const char *path, struct run *r)
{
    struct drd_error e = {0};
    struct store *s = store_open(path, STORE_READ, &e);
    bool ok = s && store_processes(s, &r->process, &r->count, &e);
    r->stream = calloc(r->count + 1, sizeof *r->stream);
    for (size_t i = 0; ok && i < r->count; i++)
        ok = stream_load(s, r->process[i].number, &r->stream[i], &e);
    if (!ok)
        fprintf(stderr, "%s: %s\n", path, e.message);
    store_close(s);
    return ok;
}

static void run_free(struct run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->stream[i].at)
            munmap(r->stream[i].at, r->stream[i].size);
        store_process_fini(&r->process[i]);
    }
    free(r->stream);
    free(r->process);
}

static bool nodes_only;

/* The record of a stream that holds this byte, or the last one before it. */
static struct trace_event event_at(const struct bytes *b, uint64_t at)
{
    struct trace_state state = {0};
    struct trace_event event = {0}, next;
    const uint8_t *p = b->at, *end = b->at + b->size;
    while (p && p < end && (uint64_t)(p - b->at) <= at && (p = trace_decode(p, end, &state, &next)))
        event = next;
    return event;
}

/* Where two streams of a process part. */
struct parting {
    size_t process;
    uint64_t byte;
    struct trace_event a, b;
};

static bool streams_part(const struct bytes *x, const struct bytes *y, struct parting *p)
{
    uint64_t size = x->size < y->size ? x->size : y->size, at = 0;
    while (at < size && x->at[at] == y->at[at])
        at++;
    if (at == x->size && at == y->size)
        return false;
    p->byte = at;
    p->a = event_at(x, at);
    p->b = event_at(y, at);
    return true;
}

static uint64_t parting_time(const struct parting *p)
{
    return p->a.time < p->b.time ? p->a.time : p->b.time;
}

static void parting_tell(const char *path, const struct run *a, const struct run *b, const struct parting *p)
{
    char mine[256], theirs[256];
    event_name(&a->process[p->process], p->a.sequence, mine, sizeof mine);
    event_name(&b->process[p->process], p->b.sequence, theirs, sizeof theirs);
    printf("%s: differs at byte %llu of %llu and %llu: %s %s\n", path, (unsigned long long)p->byte,
           (unsigned long long)a->stream[p->process].size, (unsigned long long)b->stream[p->process].size, mine, theirs);
}

/* Of the streams that differ the one that does so first; the others follow from it. */
static bool compare(const char *path, const struct run *a, const struct run *b)
{
    struct parting first = {0}, p = {0};
    bool same = a->count == b->count, found = false;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (nodes_only && !a->process[i].number && !b->process[i].number)
            continue;
        p.process = i;
        if (!streams_part(&a->stream[i], &b->stream[i], &p))
            continue;
        if (!found || parting_time(&p) < parting_time(&first))
            first = p;
        found = true;
    }
    if (found)
        parting_tell(path, a, b, &first);
    if (!same)
        printf("%s: %zu processes, not %zu\n", path, b->count, a->count);
    return same && !found;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--nodes")) {
        nodes_only = true;
        argc--, argv++;
    }
    struct run a = {0};
    int status = 0;
    if (argc < 3 || !run_load(argv[1], &a))
        return 2;
    for (int i = 2; i < argc && status < 2; i++) {
        struct run b = {0};
        if (!run_load(argv[i], &b))
            status = 2;
        else if (!compare(argv[i], &a, &b))
            status = 1;
        run_free(&b);
    }
    run_free(&a);
    return status;
}
