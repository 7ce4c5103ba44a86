/* Another build of a recorded program (struct replay_file, `other_build`): it has other addresses and asks for other memory, so
 * of what it does only that is compared which shows outside. Where it departs, what it was about to do is written down as the
 * record that a recording would hold, and the process waits: for its stack to be read from outside, or for the word that the
 * other bytes mean the same. */
#include "shim/shim.h"

#include <drd/drd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#define MADE_MOST (1u << 20) /* bytes of data of each argument */

static const struct call *making;                        /* the call under way; the baton is held */
static uint8_t made[8 * PACK_MAX + DRD_MARK_TEXT_MAX];   /* or the event */
static size_t made_length;

void departure_call(const struct call *call)
{
    making = stream.file->other_build ? call : NULL;
}

bool departure_watches(void)
{
    return shim_world == WORLD_TRACE && stream.file->other_build;
}

uint8_t *departure_event(int code, unsigned fields)
{
    return pack_int(pack_array_header(made, fields + 1), code);
}

/* The event that is recorded next must be this one, byte by byte. */
void departure_compare(int code, uint8_t *end, const char *what)
{
    made_length = (size_t)(end - made);
    trace_take(code);
    const uint8_t *after = unpack_skip(stream.at, stream.limit);
    if (!after || (size_t)(after - stream.at) != made_length || memcmp(stream.at, made, made_length))
        trace_diverged(code, 8, what, "see the event", "another");
    made_length = 0;
}

/* As many bytes or messages as it asks to go out. */
static int64_t wanted_result(const struct call *call)
{
    switch (call->nr) {
    case SYS_sendmmsg:
        return call->arg[2];
    case SYS_io_submit:
        return call->arg[1];
    case SYS_write: case SYS_pwrite64: case SYS_sendto:
        return call->arg[2];
    default:
        return (int64_t)inputs_bytes(call);
    }
}

static void write_all(long fd, const uint8_t *p, size_t length)
{
    while (length) {
        long n = RAW(SYS_write, fd, p, length);
        if (n <= 0)
            return;
        p += n;
        length -= (size_t)n;
    }
}

static void write_call(long fd, const struct call *call)
{
    size_t size = inputs_size(call) + 2 * PACK_MAX;
    long at = RAW(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096)
        return;
    uint8_t *record = (uint8_t *)at, *p = pack_array_header(record, 2u + call_shape(call->info)->inputs);
    p = inputs_write(call, pack_int(p, call->nr), MADE_MOST, true);
    p = pack_int(p, wanted_result(call));
    write_all(fd, record, (size_t)(p - record));
}

void departure_write(void)
{
    char path[600];
    trace_path(path, sizeof path, stream.file->process, ".made");
    long fd = RAW(SYS_open, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (made_length)
        write_all(fd, made, made_length);
    else if (making && making->info)
        write_call(fd, making);
    RAW(SYS_close, fd);
}

void departure_wait(void)
{
    struct replay_file *f = stream.file;
    const struct timespec pause = {0, 200000};
    f->thread_pointer = (uint64_t)(uintptr_t)thread_pointer();
    registers_here(f->registers);
    __atomic_store_n(&f->state, REPLAY_DIVERGED, __ATOMIC_RELEASE);
    while (__atomic_load_n(&f->state, __ATOMIC_ACQUIRE) == REPLAY_DIVERGED)
        RAW(SYS_nanosleep, &pause, 0);
}
