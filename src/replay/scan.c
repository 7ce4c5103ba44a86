/* Over the whole of a staged stream, for the few records the driver itself must know of. A look at two bytes tells them, so
 * that the rest need not be decoded: the longest streams have tens of millions of records. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "replay/session.h"
#include "trace/msgpack.h"
#include "trace/record.h"

#define WINDOW (4ul << 20)

struct scan {
    struct replay *replay;
    uint64_t fork_end;
    struct drd_error *error;
};

/* Source: MessagePack; a small array is 0x90 | count, a small negative integer its low byte. */
static bool is_record(const uint8_t *p, const uint8_t *end, unsigned fields, int code)
{
    return end - p > 2 && p[0] == (0x90 | (fields + 1)) && p[1] == (uint8_t)code;
}

static void see_fork(struct scan *scan, const uint8_t *p, const uint8_t *end, uint64_t sequence)
{
    const struct replay *r = scan->replay;
    struct unpack child;
    if (!unpack_next(p + 2, end, &child) || child.type != UNPACK_INT || child.value <= 0)
        return;
    size_t i = replay_plan_index(r->process, r->count, (uint32_t)child.value);
    if (i < r->count && r->plan.needed[i])
        scan->fork_end = sequence + 1;
}

static bool see_image(struct scan *scan, const uint8_t *p, const uint8_t *end)
{
    char path[4096];
    struct unpack text, number, id;
    struct drd_error failure = { 0 };
    p = unpack_next(p + 2, end, &text);
    p = p ? unpack_next(p, end, &number) : NULL;
    p = p ? unpack_next(p, end, &number) : NULL;
    if (!p || !unpack_next(p, end, &id) || text.type != UNPACK_STR || text.length >= sizeof path || id.type != UNPACK_BIN ||
        id.length > BUILD_ID_MAX)
        return true;
    memcpy(path, text.data, text.length);
    path[text.length] = 0;
    struct build_id recorded = { .length = id.length };
    memcpy(recorded.byte, id.data, id.length);
    struct replay *r = scan->replay;
    if (manifest_check_image(session_root(r), path, &recorded, &failure) ||
        (session_pack(r, &failure) && manifest_check_image(session_root(r), path, &recorded, &failure)))
        return true;
    if (r->options.force)
        return session_notice(r, failure.message), true;
    return error_set(scan->error, failure.exit_code, "%s", failure.message);
}

/* Give the pages before `p` back, a piece at a time: the memory that a replay takes must not grow with the run. */
static const uint8_t *drop_behind(const uint8_t *from, const uint8_t *p)
{
    size_t whole = (size_t)(p - from) / WINDOW * WINDOW;
    if (whole)
        madvise((void *)(uintptr_t)from, whole, MADV_DONTNEED);
    return from + whole;
}

static bool walk(struct scan *scan, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *kept = p;
    for (uint64_t sequence = 0; p && p < end; sequence++) {
        kept = drop_behind(kept, p);
        if (is_record(p, end, 2, TRACE_FORK))
            see_fork(scan, p, end, sequence);
        if (is_record(p, end, 4, TRACE_IMAGE) && !see_image(scan, p, end))
            return false;
        p = unpack_skip(p, end);
    }
    return p || error_set(scan->error, DRD_EXIT_FATAL, "the stream holds something that is no record");
}

bool session_scan(struct replay *r, size_t index, uint64_t *fork_end, struct drd_error *e)
{
    char path[sizeof r->stage.path + 32];
    struct scan scan = { .replay = r, .error = e };
    size_t length = REPLAY_HEADER + r->header[index]->bytes;
    stage_file(&r->stage, r->process[index].number, "", path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *map = fd < 0 ? MAP_FAILED : mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    bool ok = walk(&scan, map + REPLAY_HEADER, map + length);
    munmap(map, length);
    *fork_end = scan.fork_end;
    return ok;
}
