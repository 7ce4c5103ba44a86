/* Whether runs hold the same streams, byte for byte, whatever chunks they were cut into.
 *
 *   same A B...
 *
 * Says of each of B the first process that differs, and at which byte. Exit 0: all the same, 1: not, 2: a run cannot be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/store.h"

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

static bool compare(const char *path, const struct run *a, const struct run *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct bytes *x = &a->stream[i], *y = &b->stream[i];
        uint64_t size = x->size < y->size ? x->size : y->size, at = 0;
        while (at < size && x->at[at] == y->at[at])
            at++;
        if (at == x->size && at == y->size)
            continue;
        printf("%s: %s differs at byte %llu of %llu and %llu\n", path, a->process[i].node, (unsigned long long)at,
               (unsigned long long)x->size, (unsigned long long)y->size);
        return false;
    }
    if (a->count != b->count)
        printf("%s: %zu processes, not %zu\n", path, b->count, a->count);
    return a->count == b->count;
}

int main(int argc, char **argv)
{
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
