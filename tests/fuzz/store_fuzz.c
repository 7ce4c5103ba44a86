/* Any bytes as a run file: opened, walked, checked. Page checksums are off, for no input would get past them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/page.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct store *s)
{
    struct trace_event event;
    struct drd_error e;
    struct store_process *list = NULL;
    size_t count = 0;
    uint32_t process;
    uint64_t sequence, bytes;
    char fact[64];
    store_fact(s, "state", fact, sizeof fact);
    event_find(s, "n1@3", &process, &sequence, &e);
    struct timeline *t = timeline_open(s, &e);
    for (int i = 0; t && i < 10000 && timeline_next(t, &event, &e) == 1; i++)
        ;
    timeline_close(t);
    if (store_processes(s, &list, &count, &e) && count) {
        struct stream *st = stream_open(s, list[0].number, &e);
        if (stream_seek(st, list[0].events / 2, &e) == 1)
            stream_next(st, &event, &e);
        stream_close(st);
        int null = memfd_create("copy", 0);
        stream_copy(s, list[0].number, null, &bytes, &e);
        close(null);
    }
    for (size_t i = 0; i < count; i++)
        store_process_fini(&list[i]);
    free(list);
    store_check(s, NULL, NULL, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drd_error e;
    char path[64];
    page_checks(false);
    snprintf(path, sizeof path, "/dev/shm/drd_store_fuzz.%d", (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
    struct store *s = store_open(path, STORE_READ, &e);
    if (s)
        walk(s);
    store_close(s);
    unlink(path);
    return 0;
}
