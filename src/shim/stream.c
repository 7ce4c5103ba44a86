/* The stream of this process as a line of memory from STREAM_BASE on: in the live world the segments of the spool, mapped
 * one after the other; in the trace world the whole replay file. Record borders and segment borders do not meet. */
#include "shim/shim.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>

struct stream stream;

#define STAMP_INTERVAL 2000000u /* ns */

/* "DIR/PPPPPP.SSSSSS" */
static void segment_path(char *path, size_t size, uint32_t process, uint64_t segment)
{
    const uint32_t number[2] = {process, (uint32_t)segment};
    char *end = path + size, *at = text_append(path, end, environment_kept(SPOOL_ENV_DIR));
    for (int k = 0; k < 2; k++) {
        char digits[8] = {k ? '.' : '/', 0};
        uint32_t n = number[k];
        for (int i = 6; i >= 1; i--, n /= 10)
            digits[i] = (char)('0' + n % 10);
        digits[7] = 0;
        at = text_append(at, end, digits);
    }
}

/* Descriptors of the shim's own must not be seen among the program's: they are opened and closed within one call. */
static long segment_map(uint64_t segment)
{
    char path[600];
    segment_path(path, sizeof path, stream.process, segment);
    long fd = RAW(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fd;
    long error = RAW(SYS_fallocate, fd, 0, 0, SPOOL_SEGMENT);
    if (error == -EOPNOTSUPP)
        error = RAW(SYS_ftruncate, fd, SPOOL_SEGMENT);
    long at = error ? error : RAW(SYS_mmap, stream.limit, SPOOL_SEGMENT, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0);
    RAW(SYS_close, fd);
    if (error)
        RAW(SYS_unlink, path);
    return at < 0 && at > -4096 ? at : 0;
}

static void stream_unmap_behind(void)
{
    while (stream.mapped + 2 * SPOOL_SEGMENT <= stream.at) {
        RAW(SYS_munmap, stream.mapped, SPOOL_SEGMENT);
        stream.mapped += SPOOL_SEGMENT;
    }
}

bool stream_grow(size_t bytes)
{
    if (shim_world != WORLD_LIVE)
        return false;
    struct spool_run *run = stream.run;
    if (run->stopped)
        return stream_stop(SPOOL_REASON_STOPPED, 0), false;
    if (run->max_bytes && run->written_bytes >= run->max_bytes)
        return stream_stop(SPOOL_REASON_MAX_SIZE, 0), false;
    while (stream.at + bytes > stream.limit) {
        long error = segment_map((uint64_t)(stream.limit - STREAM_BASE) / SPOOL_SEGMENT);
        if (error) {
            bool full = error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
            return stream_stop(full ? SPOOL_REASON_NO_SPACE : SPOOL_REASON_SYSTEM, (int)-error), false;
        }
        stream.limit += SPOOL_SEGMENT;
    }
    stream_unmap_behind();
    return true;
}

bool stream_live_open(uint32_t process)
{
    if (stream.mapped && stream.limit > stream.mapped)
        RAW(SYS_munmap, stream.mapped, stream.limit - stream.mapped); /* the parent's, after fork */
    stream.process = process;
    stream.slot = &stream.run->process[process];
    stream.at = stream.limit = stream.mapped = STREAM_BASE;
    stream.events = stream.clock = stream.time = 0;
    stream.thread = self.number;
    return stream_grow(4096);
}

bool stream_follow_on(uint64_t stamp)
{
    uint64_t bytes = (uint64_t)(stream.at - STREAM_BASE);
    RAW(SYS_munmap, STREAM_BASE, (bytes + 4095) & ~4095ul);
    stream.slot = &stream.run->process[stream.process];
    stream.limit = stream.mapped = STREAM_BASE + bytes / SPOOL_SEGMENT * SPOOL_SEGMENT;
    stream.time = stamp;
    return stream_grow(4096);
}

bool stream_trace_open(int fd)
{
    struct replay_file head;
    if (RAW(SYS_pread64, fd, &head, sizeof head, 0) != sizeof head || head.magic != REPLAY_MAGIC)
        return false;
    if (stream.file)
        RAW(SYS_munmap, REPLAY_BASE, stream.limit - (uint8_t *)REPLAY_BASE);
    long size = (long)((REPLAY_HEADER + head.bytes + 4095) & ~4095ul);
    long at = RAW(SYS_mmap, REPLAY_BASE, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    if (at != (long)REPLAY_BASE)
        return false;
    stream.file = REPLAY_BASE;
    stream.process = head.process;
    stream.at = stream.mapped = STREAM_BASE;
    stream.limit = STREAM_BASE + head.bytes;
    stream.events = stream.clock = stream.time = 0;
    stream.thread = self.number;
    stream.file->pid = (uint32_t)RAW(SYS_getpid);
    stream.file->stop_here = (uint64_t)(uintptr_t)drd_stop_here;
    stream.file->state = REPLAY_RUNNING;
    return true;
}

void stream_publish(uint8_t *end)
{
    stream.at = end;
    stream.events++;
    stream.slot->draft = 0;
    stream.slot->events = stream.events;
    __atomic_store_n(&stream.slot->head, (uint64_t)(end - STREAM_BASE), __ATOMIC_RELEASE);
}

/* If there is room left, the stream itself says that it ends here. */
static void put_incomplete(enum spool_reason reason)
{
    static const char *const words[] = {
        [SPOOL_REASON_NO_SPACE] = "no space", [SPOOL_REASON_MAX_SIZE] = "max-size", [SPOOL_REASON_STOPPED] = "stopped",
        [SPOOL_REASON_SYSTEM] = "system", /* late signal: a replay never comes to a call after it */
    };
    if (stream.limit - stream.at < 64 || reason >= sizeof words / sizeof *words || !words[reason])
        return;
    stream_publish(put_text(pack_int(pack_array_header(stream.at, 2), TRACE_INCOMPLETE), words[reason]));
}

/* The node must not suffer: what is recorded stays, the rest goes on unrecorded, and the run says so. */
void stream_stop(enum spool_reason reason, int error)
{
    stream.slot->reason = reason;
    stream.slot->status = error;
    stream.slot->incomplete_event = stream.events;
    put_incomplete(reason);
    __atomic_store_n(&stream.slot->state, SPOOL_INCOMPLETE, __ATOMIC_RELEASE);
    if (stream.run->strict)
        RAW(SYS_exit_group, 125);
    shim_world = WORLD_OFF;
    baton_open();
}

uint8_t *put_text(uint8_t *p, const char *text)
{
    size_t n = strlen(text);
    p = pack_str_header(p, (uint32_t)n);
    memcpy(p, text, n);
    return p + n;
}

uint8_t *put_bytes(uint8_t *p, const void *data, size_t length)
{
    p = pack_bin_header(p, (uint32_t)length);
    memcpy(p, data, length);
    return p + length;
}

/* Room for [code, fields...] with `data_bytes` of text and data; returns where the first field goes. */
uint8_t *stream_event(enum trace_code code, unsigned fields, size_t data_bytes)
{
    if (shim_world != WORLD_LIVE || !stream_reserve(8 + fields * PACK_MAX + data_bytes))
        return NULL;
    return pack_int(pack_array_header(stream.at, fields + 1), code);
}

bool stream_put(enum trace_code code, unsigned fields, ...)
{
    uint8_t *p = stream_event(code, fields, 0);
    if (!p)
        return false;
    va_list ap;
    va_start(ap, fields);
    for (unsigned i = 0; i < fields; i++)
        p = pack_int(p, va_arg(ap, int64_t));
    va_end(ap);
    stream_publish(p);
    return true;
}

/* A stamp after a wait, where the program does not look at the clock often itself: enough to lay the streams of a run side
 * by side, and few bytes. */
void stream_stamp(void)
{
    uint64_t now = monotonic_now(), known = stream.time > stream.clock ? stream.time : stream.clock;
    if (now - known < STAMP_INTERVAL)
        return;
    uint64_t delta = now - stream.time;
    stream.time = now;
    stream_put(TRACE_TIME, 1, (int64_t)delta);
}
