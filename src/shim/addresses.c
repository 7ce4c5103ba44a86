/* Addresses that another build of the program (departure.c) hands to itself through the kernel: in epoll's data, in the bytes
 * of a pipe of its own, as libuv does with its signal handles. They are not those of the recording, and the trace gives the
 * recorded ones back. So what stands in the same place of what both gave is a pair, and one is given for the other. */
#include "shim/shim.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/uio.h>

#define PAIRS 1024
#define OWN_MOST 4096 /* descriptors above are not followed */

static struct {
    uint64_t recorded, here;
} pair[PAIRS];
static unsigned pairs;                /* ever: the oldest are overwritten */
static uint8_t own[OWN_MOST / 8];     /* descriptors of pipes and pairs of sockets */

static bool is_own(long fd)
{
    return fd >= 0 && fd < OWN_MOST && own[fd / 8] >> (fd % 8) & 1;
}

static void own_set(long fd, bool set)
{
    if (fd < 0 || fd >= OWN_MOST)
        return;
    own[fd / 8] = (uint8_t)((own[fd / 8] & ~(1u << (fd % 8))) | (unsigned)set << (fd % 8));
}

/* Where the words of its data that may be addresses begin; -1: it has none. */
static int words_begin(const struct call *call, bool input)
{
    switch (call->nr) {
    case SYS_epoll_ctl:
        return input ? 4 : -1;
    case SYS_write: case SYS_writev:
        return input && is_own(call->arg[0]) ? 0 : -1;
    case SYS_read: case SYS_readv:
        return !input && is_own(call->arg[0]) ? 0 : -1;
    default:
        return -1;
    }
}

/* Is there memory of the program? mincore(2). */
static bool is_mapped(uint64_t address)
{
    unsigned char present;
    return address > 0xffff && address < 1ull << 47 && RAW(SYS_mincore, address & ~4095ull, 4096, &present) == 0;
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static bool word_same(uint64_t recorded, uint64_t here)
{
    if (recorded == here)
        return true;
    if (recorded <= 0xffff || recorded >= 1ull << 47 || !is_mapped(here))
        return false;
    pair[pairs % PAIRS].recorded = recorded;
    pair[pairs++ % PAIRS].here = here;
    return true;
}

bool addresses_same(const struct call *call, const uint8_t *recorded, const uint8_t *here, size_t length)
{
    int begin = words_begin(call, true);
    if (begin < 0 || (size_t)begin > length || memcmp(recorded, here, (size_t)begin))
        return false;
    size_t at = (size_t)begin;
    for (; length - at >= 8; at += 8)
        if (!word_same(word_at(recorded + at), word_at(here + at)))
            return false;
    return !memcmp(recorded + at, here + at, length - at);
}

static void word_translate(uint8_t *p)
{
    uint64_t word = word_at(p);
    for (unsigned n = 0; n < PAIRS && n < pairs; n++) {
        unsigned i = (pairs - 1 - n) % PAIRS;
        if (pair[i].recorded == word) {
            memcpy(p, &pair[i].here, sizeof pair[i].here);
            return;
        }
    }
}

static void read_translate(const struct call *call, size_t length)
{
    uint8_t *p = (uint8_t *)call->arg[1];
    for (size_t at = 0; length - at >= 8; at += 8)
        word_translate(p + at);
}

static void readv_translate(const struct call *call, size_t left)
{
    const struct iovec *v = (const struct iovec *)call->arg[1];
    for (long i = 0; i < call->arg[2] && left; i++) {
        size_t n = v[i].iov_len < left ? v[i].iov_len : left;
        for (size_t at = 0; n - at >= 8; at += 8)
            word_translate((uint8_t *)v[i].iov_base + at);
        left -= n;
    }
}

/* struct epoll_event is packed: four bytes of events, eight of data. */
static void epoll_translate(const struct call *call, long count)
{
    for (long i = 0; i < count; i++)
        word_translate((uint8_t *)call->arg[1] + 12 * i + 4);
}

/* --- asynchronous disk I/O: io_submit(2). The trace has a block's address only when it is done --- */

#define IN_FLIGHT 256

static const struct iocb *in_flight[IN_FLIGHT]; /* the oldest first */
static unsigned in_flights;

static void submitted(const struct call *call, long count)
{
    struct iocb *const *all = (struct iocb *const *)call->arg[2];
    for (long i = 0; i < count && in_flights < IN_FLIGHT; i++)
        in_flight[in_flights++] = all[i];
}

/* Who is done? Whoever asked for so many bytes, or else whoever has waited longest. */
static const struct iocb *done_take(int64_t bytes)
{
    unsigned i = 0;
    while (i < in_flights && (int64_t)in_flight[i]->aio_nbytes != bytes)
        i++;
    if (i == in_flights)
        i = 0;
    const struct iocb *done = in_flights ? in_flight[i] : NULL;
    for (; i + 1 < in_flights; i++)
        in_flight[i] = in_flight[i + 1];
    in_flights -= in_flights > 0;
    return done;
}

void addresses_completed(struct io_event *event, long count)
{
    for (long i = 0; i < count; i++) {
        const struct iocb *done = done_take(event[i].res);
        if (!done)
            return;
        event[i].obj = (uint64_t)(uintptr_t)done;
        event[i].data = done->aio_data;
    }
}

static void descriptors_follow(const struct call *call, long result)
{
    const int *made = (const int *)(call->nr == SYS_socketpair ? call->arg[3] : call->arg[0]);
    switch (call->nr) {
    case SYS_pipe: case SYS_pipe2: case SYS_socketpair:
        own_set(made[0], true);
        own_set(made[1], true);
        break;
    case SYS_dup: case SYS_dup2: case SYS_dup3:
        own_set(result, is_own(call->arg[0]));
        break;
    case SYS_fcntl:
        if (call->arg[1] == F_DUPFD || call->arg[1] == F_DUPFD_CLOEXEC)
            own_set(result, is_own(call->arg[0]));
        break;
    case SYS_close:
        own_set(call->arg[0], false);
        break;
    }
}

void addresses_answered(const struct call *call, long result)
{
    if (result < 0)
        return;
    descriptors_follow(call, result);
    if (call->nr == SYS_io_submit)
        submitted(call, result);
    if (!pairs)
        return;
    if (call->nr == SYS_epoll_wait || call->nr == SYS_epoll_pwait || call->nr == SYS_epoll_pwait2)
        epoll_translate(call, result);
    else if (words_begin(call, false) == 0)
        call->nr == SYS_read ? read_translate(call, (size_t)result) : readv_translate(call, (size_t)result);
}
