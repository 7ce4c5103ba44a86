/* What a call takes and gives, as trace/calls.def says. The program's pointers may be wrong: everything it gave is read
 * with shim_copy, which survives an unmapped page. What the kernel filled is there. */
#include "shim/shim.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>

#define PATH_LONGEST 4096

struct piece {
    uint8_t *data;
    size_t length;
};

/* A walk over the memory ranges that make up one argument's data. */
struct pieces {
    const struct call *call;
    int index;
    long result;
    size_t left;            /* bytes that still count */
    unsigned step, item, vector;
    long message;           /* of recvmmsg */
    bool bad;               /* a pointer of the program's leads nowhere */
    uint8_t scratch[24];
};

static bool fetch(void *to, const void *from, size_t n)
{
    return shim_copy(to, from, n) == 0;
}

static bool piece_set(struct piece *piece, const void *data, size_t length)
{
    piece->data = (uint8_t *)(uintptr_t)data;
    piece->length = length;
    return true;
}

/* The next non-empty iovec of an array of `count` at `array`, cut to what is left. */
static bool iov_next(struct pieces *it, long array, size_t count, struct piece *piece)
{
    struct iovec v;
    while (it->left && it->vector < count && !it->bad) {
        if (!fetch(&v, (const struct iovec *)array + it->vector++, sizeof v)) {
            it->bad = true;
        } else if (v.iov_len) {
            size_t n = v.iov_len < it->left ? v.iov_len : it->left;
            it->left -= n;
            return piece_set(piece, v.iov_base, n);
        }
    }
    return false;
}

static bool msg_in_next(struct pieces *it, const struct msghdr *from, struct piece *piece)
{
    struct msghdr m;
    if (!fetch(&m, from, sizeof m))
        return it->bad = true, false;
    return iov_next(it, (long)m.msg_iov, m.msg_iovlen, piece);
}

/* Header, name, control, data. */
static bool msg_out_next(struct pieces *it, const struct msghdr *m, struct piece *piece)
{
    switch (it->step++) {
    case 0: {
        uint32_t head[3] = {m->msg_name ? m->msg_namelen : 0, (uint32_t)m->msg_controllen, (uint32_t)m->msg_flags};
        if (m->msg_name && it->call->capacity && head[0] > it->call->capacity)
            head[0] = it->call->capacity;
        memcpy(it->scratch, head, sizeof head);
        it->item = head[0];
        return piece_set(piece, it->scratch, sizeof head);
    }
    case 1:
        return piece_set(piece, m->msg_name, it->item);
    case 2:
        return piece_set(piece, m->msg_control, m->msg_controllen);
    default:
        return iov_next(it, (long)m->msg_iov, m->msg_iovlen, piece);
    }
}

/* What sendmmsg took of each message. */
static bool mmsg_sent_next(struct pieces *it, struct mmsghdr *all, struct piece *piece)
{
    if (it->message >= it->result)
        return false;
    return piece_set(piece, &all[it->message++].msg_len, sizeof all->msg_len);
}

/* For each message received: its length, then as one of recvmsg. */
static bool mmsg_out_next(struct pieces *it, struct mmsghdr *all, struct piece *piece)
{
    for (; it->message < it->result; it->message++, it->step = it->vector = 0) {
        struct mmsghdr *m = &all[it->message];
        if (it->step == 0) {
            it->left = m->msg_len;
            it->step = 1;
            return piece_set(piece, &m->msg_len, sizeof m->msg_len);
        }
        it->step--;
        bool more = msg_out_next(it, &m->msg_hdr, piece);
        it->step++;
        if (more)
            return true;
    }
    return false;
}

/* For each message sent: its length, then its data. */
static bool mmsg_in_next(struct pieces *it, struct piece *piece)
{
    const struct mmsghdr *all = (const struct mmsghdr *)it->call->arg[it->index];
    for (; it->item < (unsigned)it->call->arg[it->index + 1]; it->item++, it->vector = 0, it->step = 0) {
        struct mmsghdr m;
        if (!fetch(&m, all + it->item, sizeof m))
            return it->bad = true, false;
        if (it->step == 0) {
            uint32_t total = 0;
            struct iovec v;
            for (size_t i = 0; i < m.msg_hdr.msg_iovlen && fetch(&v, m.msg_hdr.msg_iov + i, sizeof v); i++)
                total += (uint32_t)v.iov_len;
            it->step = 1;
            memcpy(it->scratch, &total, 4);
            return piece_set(piece, it->scratch, 4);
        }
        if (iov_next(it, (long)m.msg_hdr.msg_iov, m.msg_hdr.msg_iovlen, piece))
            return true;
    }
    return false;
}

/* For each block handed to the disk: u32 fd, u32 opcode, u64 offset, u32 length, data. */
static bool aio_submit_next(struct pieces *it, struct piece *piece)
{
    struct iocb *const *all = (struct iocb *const *)it->call->arg[it->index], *one, cb;
    for (; it->item < (unsigned long)it->call->arg[1]; it->item++, it->vector = 0, it->step = 0) {
        if (!fetch(&one, all + it->item, sizeof one) || !fetch(&cb, one, sizeof cb))
            return it->bad = true, false;
        bool vector = cb.aio_lio_opcode == IOCB_CMD_PWRITEV;
        bool writes = vector || cb.aio_lio_opcode == IOCB_CMD_PWRITE;
        if (it->step == 0) {
            struct iovec v;
            uint32_t total = writes && !vector ? (uint32_t)cb.aio_nbytes : 0;
            for (size_t i = 0; vector && i < cb.aio_nbytes && fetch(&v, (struct iovec *)cb.aio_buf + i, sizeof v); i++)
                total += (uint32_t)v.iov_len;
            uint32_t head[5] = {cb.aio_fildes, cb.aio_lio_opcode, 0, 0, total};
            memcpy(head + 2, &cb.aio_offset, 8);
            memcpy(it->scratch, head, sizeof head);
            it->step = 1;
            return piece_set(piece, it->scratch, sizeof head);
        }
        if (vector && iov_next(it, (long)cb.aio_buf, cb.aio_nbytes, piece))
            return true;
        if (writes && !vector && it->step == 1) {
            it->step = 2;
            return piece_set(piece, (void *)cb.aio_buf, cb.aio_nbytes);
        }
    }
    return false;
}

/* The events, then what each finished read brought. */
static bool aio_events_next(struct pieces *it, struct piece *piece)
{
    const struct io_event *all = (const struct io_event *)it->call->arg[it->index];
    if (it->step == 0) {
        it->step = 1;
        return piece_set(piece, all, (size_t)it->result * sizeof *all);
    }
    for (; it->item < (unsigned long)it->result; it->item++, it->vector = 0) {
        const struct iocb *cb = (const struct iocb *)all[it->item].obj;
        long got = all[it->item].res;
        if (got <= 0 || (cb->aio_lio_opcode != IOCB_CMD_PREAD && cb->aio_lio_opcode != IOCB_CMD_PREADV))
            continue;
        if (cb->aio_lio_opcode == IOCB_CMD_PREAD) {
            it->item++;
            return piece_set(piece, (void *)cb->aio_buf, (size_t)got);
        }
        if (!it->vector)
            it->left = (size_t)got;
        if (iov_next(it, (long)cb->aio_buf, cb->aio_nbytes, piece))
            return true;
    }
    return false;
}

static void pieces_output(struct pieces *it, const struct call *call, int index, long result)
{
    *it = (struct pieces){.call = call, .index = index, .result = result, .left = result > 0 ? (size_t)result : 0};
}

/* How many bytes an ioctl fills: the requests that servers make (ioctl_tty(2), netdevice(7), sockios.h). */
static size_t ioctl_size(long request)
{
    switch ((uint32_t)request) {
    case TCGETS: return 36;
    case TIOCGWINSZ: return sizeof(struct winsize);
    case FIONREAD: case TIOCGPGRP: case TIOCOUTQ: case TIOCGSID: case TIOCGPTN: case 0x8905: return 4;
    case 0x8912: return 16; /* SIOCGIFCONF: struct ifconf */
    }
    if (((uint32_t)request & 0xff00) == 0x8900)
        return 40; /* SIOC...: struct ifreq */
    bool reads = (uint32_t)request >> 30 & 2;
    return reads ? (uint32_t)request >> 16 & 0x3fff : 0;
}

static size_t prctl_size(const struct call *call)
{
    switch (call->arg[0]) {
    case PR_GET_NAME: return 16;
    case PR_GET_PDEATHSIG: case PR_GET_UNALIGN: case PR_GET_FPEMU: case PR_GET_FPEXC: case PR_GET_ENDIAN:
    case PR_GET_CHILD_SUBREAPER: case PR_GET_TSC: return 4;
    case PR_GET_TID_ADDRESS: return 8;
    }
    return 0;
}

/* Bytes of an output that is one range of memory. */
static size_t output_length(const struct pieces *it)
{
    const struct call *call = it->call;
    uint16_t code = call->info->argument[it->index];
    long result = it->result;
    switch (KIND_OF(code)) {
    case KIND_OUT: return KIND_PARAMETER(code);
    case KIND_OUT_RET: return (size_t)result * KIND_PARAMETER(code);
    case KIND_OUT_LEN: return (size_t)call->arg[KIND_PARAMETER(code)];
    case KIND_LEN_PTR: return 4;
    case KIND_ADDR_OUT: {
        uint32_t length = call->arg[it->index + 1] ? *(uint32_t *)call->arg[it->index + 1] : 0;
        return length < call->capacity ? length : call->capacity;
    }
    default: break;
    }
    switch (KIND_PARAMETER(code)) {
    case SPECIAL_OFFSET: return 8;
    case SPECIAL_FCNTL: return call->arg[1] == F_GETLK || call->arg[1] == F_OFD_GETLK ? sizeof(struct flock) : 0;
    case SPECIAL_IOCTL: return ioctl_size(call->arg[1]);
    case SPECIAL_POLLFD: return result ? (size_t)call->arg[1] * sizeof(struct pollfd) : 0;
    case SPECIAL_FDSET: return ((size_t)call->arg[0] + 63) / 64 * 8;
    case SPECIAL_TIMEVAL: return 16;
    case SPECIAL_GROUPS: return call->arg[0] ? (size_t)result * 4 : 0;
    case SPECIAL_NODEMASK: return ((size_t)call->arg[2] + 7) / 8;
    case SPECIAL_MAPPING: return memory_mapping_length(call, result);
    case SPECIAL_PRCTL: return prctl_size(call);
    case SPECIAL_MSGRCV: return sizeof(long) + (size_t)result;
    }
    return 0;
}

static bool output_next(struct pieces *it, struct piece *piece)
{
    long p = it->call->arg[it->index];
    uint16_t code = it->call->info->argument[it->index];
    if (KIND_OF(code) == KIND_IOV_OUT)
        return iov_next(it, p, (size_t)it->call->arg[KIND_PARAMETER(code)], piece);
    if (code == (KIND_SPECIAL | SPECIAL_MSG_OUT))
        return msg_out_next(it, (const struct msghdr *)p, piece);
    if (code == (KIND_SPECIAL | SPECIAL_AIO_EVENTS))
        return aio_events_next(it, piece);
    if (code == (KIND_SPECIAL | SPECIAL_MMSG_IN))
        return mmsg_sent_next(it, (struct mmsghdr *)p, piece);
    if (code == (KIND_SPECIAL | SPECIAL_MMSG_OUT))
        return mmsg_out_next(it, (struct mmsghdr *)p, piece);
    if (it->step++)
        return false;
    if (code == (KIND_SPECIAL | SPECIAL_MAPPING))
        p = it->result;
    return piece_set(piece, (void *)p, output_length(it));
}

static bool input_next(struct pieces *it, struct piece *piece)
{
    const struct call *call = it->call;
    long p = call->arg[it->index];
    uint16_t code = call->info->argument[it->index];
    size_t length = 0;
    switch (KIND_OF(code)) {
    case KIND_IOV_IN: return iov_next(it, p, (size_t)call->arg[KIND_PARAMETER(code)], piece);
    case KIND_IN: length = KIND_PARAMETER(code); break;
    case KIND_IN_LEN: length = (size_t)call->arg[KIND_PARAMETER(code)]; break;
    case KIND_SPECIAL:
        switch (KIND_PARAMETER(code)) {
        case SPECIAL_MSG_IN: return msg_in_next(it, (const struct msghdr *)p, piece);
        case SPECIAL_MMSG_IN: return mmsg_in_next(it, piece);
        case SPECIAL_AIO_SUBMIT: return aio_submit_next(it, piece);
        case SPECIAL_TIMEVAL: length = 16; break;
        }
        break;
    default: break;
    }
    if (it->step++)
        return false;
    return piece_set(piece, (void *)p, length < it->left ? length : it->left);
}

static bool argument_is_null(const struct call *call, int index)
{
    return !call->arg[index] && call->info->argument[index] != (KIND_SPECIAL | SPECIAL_MAPPING);
}

/* Is the input an integer, whatever the program means by it? */
static bool input_is_int(uint16_t code)
{
    switch (KIND_OF(code)) {
    case KIND_INT: case KIND_FD: case KIND_LONG: return true;
    case KIND_SPECIAL: return KIND_PARAMETER(code) == SPECIAL_FCNTL || KIND_PARAMETER(code) == SPECIAL_IOCTL;
    default: return false;
    }
}

/* Requests whose third argument is a number; with the others it is a pointer, or whatever the register held. fcntl(2). */
static bool fcntl_takes_int(long request)
{
    switch (request) {
    case F_DUPFD: case F_DUPFD_CLOEXEC: case F_SETFD: case F_SETFL: case F_SETOWN: case F_SETSIG: case F_SETLEASE:
    case F_NOTIFY: case F_SETPIPE_SZ: case F_ADD_SEALS:
        return true;
    }
    return false;
}

/* The mode of an open that creates nothing is not read: open(2). */
static bool mode_is_ignored(const struct call *call, int i)
{
    int flags = call->nr == SYS_open ? 1 : call->nr == SYS_openat ? 2 : -1;
    return flags > 0 && flags == i - 1 && !(call->arg[flags] & (O_CREAT | __O_TMPFILE));
}

static int64_t input_int(const struct call *call, int i)
{
    uint16_t code = call->info->argument[i];
    if (KIND_OF(code) == KIND_LONG)
        return call->arg[i];
    if (code == (KIND_SPECIAL | SPECIAL_IOCTL) || mode_is_ignored(call, i) ||
        (code == (KIND_SPECIAL | SPECIAL_FCNTL) && !fcntl_takes_int(call->arg[1])))
        return 0;
    return (int32_t)call->arg[i];
}

static size_t input_length(const struct call *call, int i, size_t limit, bool *bad)
{
    struct pieces it;
    struct piece piece;
    size_t total = 0;
    it = (struct pieces){.call = call, .index = i, .left = limit};
    while (input_next(&it, &piece))
        total += piece.length;
    *bad = it.bad;
    return total;
}

size_t inputs_bytes(const struct call *call)
{
    size_t total = 0;
    for (int i = 0; i < 6; i++) {
        uint16_t code = call->info->argument[i];
        bool bad;
        if (kind_has_input(code) && !input_is_int(code) && KIND_OF(code) != KIND_PATH && call->arg[i])
            total += input_length(call, i, SIZE_MAX, &bad);
    }
    return total;
}

void inputs_each(const struct call *call, void (*take)(void *, const void *, size_t), void *context)
{
    for (int i = 0; i < 6; i++) {
        uint16_t code = call->info->argument[i];
        struct pieces it = {.call = call, .index = i, .left = SIZE_MAX};
        struct piece piece;
        if (!kind_has_input(code) || input_is_int(code) || KIND_OF(code) == KIND_PATH || !call->arg[i])
            continue;
        while (input_next(&it, &piece))
            take(context, piece.data, piece.length);
    }
}

size_t inputs_size(const struct call *call)
{
    size_t total = 16 + 6 * PACK_MAX;
    const struct call_shape *shape = call_shape(call->info);
    if (!shape->path && !shape->data)
        return total;
    for (int i = 0; i < 6; i++) {
        uint16_t code = call->info->argument[i];
        bool bad;
        if (!kind_has_input(code))
            continue;
        if (KIND_OF(code) == KIND_PATH)
            total += PATH_LONGEST;
        else if (!input_is_int(code) && call->arg[i])
            total += input_length(call, i, SIZE_MAX, &bad);
    }
    return total;
}

static uint8_t *input_write_path(uint8_t *p, long address)
{
    long n = address ? shim_string((const char *)address, PATH_LONGEST) : -1;
    if (n < 0)
        return *p = 0xc0, p + 1;
    p = pack_str_header(p, (uint32_t)n);
    memcpy(p, (void *)address, (size_t)n);
    return p + n;
}

static uint8_t *input_write_data(const struct call *call, int i, uint8_t *p, size_t limit)
{
    bool bad;
    size_t total = input_length(call, i, limit, &bad);
    uint8_t *start = p;
    struct pieces it = {.call = call, .index = i, .left = limit};
    struct piece piece;
    p = pack_bin_header(p, (uint32_t)total);
    while (!bad && input_next(&it, &piece)) {
        bad = !fetch(p, piece.data, piece.length);
        p += piece.length;
    }
    if (bad)
        return *start = 0xc0, start + 1;
    return p;
}

/* `limit`: bytes of data that count, SIZE_MAX all; `data` false: nil in the place of data, it stands in TRACE_ENTER. */
uint8_t *inputs_write(const struct call *call, uint8_t *p, size_t limit, bool data)
{
    for (int i = 0; i < 6; i++) {
        uint16_t code = call->info->argument[i];
        if (!kind_has_input(code))
            continue;
        if (input_is_int(code))
            p = pack_int(p, input_int(call, i));
        else if (KIND_OF(code) == KIND_PATH)
            p = input_write_path(p, call->arg[i]);
        else if (!data || !call->arg[i])
            *p++ = 0xc0;
        else
            p = input_write_data(call, i, p, limit);
    }
    return p;
}

/* What a row of the table comes to, found out once. */
const struct call_shape *call_shape(const struct call_info *info)
{
    static struct call_shape shapes[CALL_MAX];
    struct call_shape *s = &shapes[info - call_table];
    if (s->known)
        return s;
    for (int i = 0; i < 6; i++) {
        uint16_t code = info->argument[i];
        bool input = kind_has_input(code);
        s->inputs = (uint8_t)(s->inputs + input);
        s->outputs = (uint8_t)(s->outputs + (kind_has_output(code) != 0));
        s->path |= input && KIND_OF(code) == KIND_PATH;
        s->data |= input && !input_is_int(code) && KIND_OF(code) != KIND_PATH;
    }
    s->known = true;
    return s;
}

size_t outputs_size(const struct call *call, long result)
{
    size_t total = 16;
    for (int i = 0; i < 6; i++) {
        if (!kind_has_output(call->info->argument[i]))
            continue;
        total += PACK_MAX;
        struct pieces it;
        struct piece piece;
        pieces_output(&it, call, i, result);
        while (!argument_is_null(call, i) && output_next(&it, &piece))
            total += piece.length;
    }
    return total;
}

uint8_t *outputs_write(const struct call *call, long result, uint8_t *p)
{
    for (int i = 0; i < 6; i++) {
        if (!kind_has_output(call->info->argument[i]))
            continue;
        if (argument_is_null(call, i)) {
            *p++ = 0xc0;
            continue;
        }
        struct pieces it;
        struct piece piece;
        size_t total = 0;
        pieces_output(&it, call, i, result);
        while (output_next(&it, &piece))
            total += piece.length;
        p = pack_bin_header(p, (uint32_t)total);
        pieces_output(&it, call, i, result);
        while (output_next(&it, &piece)) {
            memcpy(p, piece.data, piece.length);
            p += piece.length;
        }
    }
    return p;
}

/* recvmsg: the header tells how much of each part there is. */
static void msg_apply(struct msghdr *m, const uint8_t *data, size_t length)
{
    uint32_t head[3];
    if (length < sizeof head)
        return;
    memcpy(head, data, sizeof head);
    data += sizeof head, length -= sizeof head;
    if (m->msg_name && head[0] <= length)
        memcpy(m->msg_name, data, head[0]);
    if (m->msg_name)
        m->msg_namelen = head[0];
    data += head[0], length -= head[0];
    if (m->msg_control && head[1] <= length)
        memcpy(m->msg_control, data, head[1]);
    m->msg_controllen = head[1];
    m->msg_flags = (int)head[2];
    data += head[1], length -= head[1];
    for (size_t i = 0; length && i < m->msg_iovlen; i++) {
        size_t n = m->msg_iov[i].iov_len < length ? m->msg_iov[i].iov_len : length;
        memcpy(m->msg_iov[i].iov_base, data, n);
        data += n, length -= n;
    }
}

static void mmsg_apply(struct mmsghdr *all, long count, const uint8_t *data, size_t length)
{
    for (long i = 0; i < count && length >= 16; i++) {
        uint32_t size[3]; /* of data, name, control */
        memcpy(size, data, sizeof size);
        size_t whole = 12ul + size[0] + size[1] + size[2];
        all[i].msg_len = size[0];
        if (whole > length - 4)
            return;
        msg_apply(&all[i].msg_hdr, data + 4, whole);
        data += 4 + whole, length -= 4 + whole;
    }
}

/* The program's poll() array keeps fd and events; only revents is the kernel's. */
static void poll_apply(struct pollfd *fds, size_t count, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < count; i++)
        fds[i].revents = length ? ((const struct pollfd *)(const void *)data)[i].revents : 0;
}

static void output_apply(const struct call *call, int i, long result, const uint8_t *data, size_t length)
{
    uint16_t code = call->info->argument[i];
    long p = call->arg[i];
    if (code == (KIND_SPECIAL | SPECIAL_MSG_OUT)) {
        msg_apply((struct msghdr *)p, data, length);
    } else if (code == (KIND_SPECIAL | SPECIAL_MMSG_OUT)) {
        mmsg_apply((struct mmsghdr *)p, result, data, length);
    } else if (code == (KIND_SPECIAL | SPECIAL_POLLFD)) {
        poll_apply((struct pollfd *)p, (size_t)call->arg[1], data, length);
    } else if (KIND_OF(code) == KIND_ADDR_OUT) {
        memcpy((void *)p, data, length); /* its length pointer follows with a value of its own */
    } else if (code == (KIND_SPECIAL | SPECIAL_AIO_EVENTS)) {
        struct pieces it;
        struct piece piece;
        pieces_output(&it, call, i, result);
        size_t events = (size_t)result * sizeof(struct io_event);
        if (events > length)
            return;
        memcpy((void *)p, data, events);
        if (departure_watches())
            addresses_completed((struct io_event *)p, result);
        it.step = 1; /* the events are there */
        data += events;
        length -= events;
        while (output_next(&it, &piece) && piece.length <= length) {
            memcpy(piece.data, data, piece.length);
            data += piece.length, length -= piece.length;
        }
    } else {
        struct pieces it;
        struct piece piece;
        pieces_output(&it, call, i, result);
        while (output_next(&it, &piece) && length) {
            size_t n = piece.length < length ? piece.length : length;
            memcpy(piece.data, data, n);
            data += n, length -= n;
        }
    }
}

/* What was left of the wait: nanosleep(2), select(2). */
bool outputs_after_interruption(const struct call *call, long result)
{
    return result == -EINTR && (call->nr == SYS_nanosleep || call->nr == SYS_clock_nanosleep || call->nr == SYS_ppoll ||
                                call->nr == SYS_pselect6 || call->nr == SYS_select);
}

void outputs_apply(const struct call *call, long result, uint8_t **p)
{
    for (int i = 0; i < 6; i++) {
        if (!kind_has_output(call->info->argument[i]))
            continue;
        size_t length;
        const uint8_t *data = trace_blob(p, &length);
        if (data && call->arg[i])
            output_apply(call, i, result, data, length);
    }
}

/* Up to 48 bytes around `offset` of one piece, which begins at `before` of the argument's data; printable ones as they are. */
static void excerpt(char *text, size_t size, const uint8_t *data, size_t length, size_t offset, size_t before)
{
    char *end = text + size, *at = text_append(text, end, "at ");
    at = text_append_int(at, end, (int64_t)(before + offset));
    at = text_append(at, end, ": \"");
    size_t from = offset > 16 ? offset - 16 : 0;
    for (size_t i = from; i < length && i < from + 48; i++) {
        char one[5] = {(char)data[i], 0};
        if (data[i] < 32 || data[i] > 126 || data[i] == '"' || data[i] == '\\') {
            one[0] = '\\', one[1] = 'x', one[2] = "0123456789abcdef"[data[i] >> 4];
            one[3] = "0123456789abcdef"[data[i] & 15], one[4] = 0;
        }
        at = text_append(at, end, one);
    }
    text_append(at, end, "\"");
}

static void compare_data(const struct call *call, int i, const uint8_t *data, size_t length)
{
    struct pieces it = {.call = call, .index = i, .left = SIZE_MAX};
    struct piece piece;
    size_t offset = 0, offered = 0;
    char expected[400], got[400];
    while (input_next(&it, &piece)) {
        size_t n = piece.length < length - offset ? piece.length : length - offset;
        offered += piece.length;
        if (n && memcmp(piece.data, data + offset, n) &&
            !(departure_watches() && addresses_same(call, data + offset, piece.data, n))) {
            size_t k = 0;
            while (piece.data[k] == data[offset + k])
                k++;
            excerpt(expected, sizeof expected, data + offset, n, k, offset);
            excerpt(got, sizeof got, piece.data, n, k, offset);
            stream.file->offset = offset + k;
            trace_differs((int)call->nr, (unsigned)i, "the data differs", expected, got);
            return; /* the call is judged as a whole */
        }
        offset += n;
    }
    if (offered < length || (offered > length && offered <= INPUT_LARGE)) {
        text_append(text_append_int(expected, expected + sizeof expected, (int64_t)length), expected + sizeof expected, " bytes");
        text_append(text_append_int(got, got + sizeof got, (int64_t)offered), got + sizeof got, " bytes");
        trace_diverged((int)call->nr, (unsigned)i, "the length of the data differs", expected, got);
    }
}

static void compare_int(const struct call *call, int i, int64_t recorded)
{
    char expected[32], got[32];
    if (recorded == input_int(call, i))
        return;
    text_append_int(expected, expected + sizeof expected, recorded);
    text_append_int(got, got + sizeof got, input_int(call, i));
    trace_diverged((int)call->nr, (unsigned)i, "the argument differs", expected, got);
}

static void compare_path(const struct call *call, int i, const uint8_t *data, size_t length)
{
    char expected[512], got[512];
    const char *given = (const char *)call->arg[i];
    long n = shim_string(given, PATH_LONGEST);
    if (n == (long)length && !memcmp(given, data, length))
        return;
    if (n < 0)
        given = "(not readable)";
    text_copy(got, sizeof got, given);
    text_copy(expected, length + 1 < sizeof expected ? length + 1 : sizeof expected, (const char *)data);
    trace_diverged((int)call->nr, (unsigned)i, "the path differs", expected, got);
}

void inputs_compare(const struct call *call, uint8_t **p)
{
    for (int i = 0; i < 6; i++) {
        uint16_t code = call->info->argument[i];
        size_t length;
        const uint8_t *data;
        if (!kind_has_input(code))
            continue;
        if (input_is_int(code)) {
            compare_int(call, i, trace_int(p));
        } else if ((data = trace_blob(p, &length))) {
            if (KIND_OF(code) == KIND_PATH)
                compare_path(call, i, data, length);
            else
                compare_data(call, i, data, length);
        }
    }
}
