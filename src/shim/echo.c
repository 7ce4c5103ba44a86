/* What a replayed node writes to its standard output and standard error. Under a debugger each line says of which event it
 * is: "n1@4711| text". */
#include "shim/shim.h"

#include <sys/uio.h>

static long begun; /* the descriptor on which a line was begun and not ended; 0: none */

void echo_break(void)
{
    if (begun)
        RAW(SYS_write, REPLAY_FD + begun, "\n", 1);
    begun = 0;
}

static void put_prefix(long fd)
{
    const struct replay_file *f = stream.file;
    char text[sizeof f->echo_name + 32], *end = text + sizeof text;
    char *at = text_append(text_append(text, end, f->echo_name), end, "@");
    at = text_append(text_append_int(at, end, (int64_t)(f->echo_base + stream.events - 1)), end, "| ");
    RAW(SYS_write, REPLAY_FD + fd, text, at - text);
}

static void put_lines(long fd, const char *text, size_t length)
{
    if (begun && begun != fd)
        echo_break();
    for (size_t from = 0, to = 0; from < length; from = to) {
        while (to < length && text[to++] != '\n')
            ;
        if (!begun)
            put_prefix(fd);
        RAW(SYS_write, REPLAY_FD + fd, text + from, to - from);
        begun = text[to - 1] == '\n' ? 0 : fd;
    }
}

static void put_output(long fd, const void *bytes, size_t length)
{
    if (stream.file->echo_name[0])
        put_lines(fd, bytes, length);
    else
        RAW(SYS_write, REPLAY_FD + fd, bytes, length);
}

void echo_call(const struct call *call, long result)
{
    const long *a = call->arg;
    if (!stream.file->echo || (a[0] != 1 && a[0] != 2) || result <= 0)
        return;
    size_t left = (size_t)result;
    if (call->nr == SYS_write)
        put_output(a[0], (const void *)a[1], left);
    if (call->nr != SYS_writev)
        return;
    const struct iovec *v = (const void *)a[1];
    for (long i = 0; i < a[2] && left; i++) {
        size_t length = v[i].iov_len < left ? v[i].iov_len : left;
        put_output(a[0], v[i].iov_base, length);
        left -= length;
    }
}
