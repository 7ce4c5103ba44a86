#include "record/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES (32u << 10) /* a longer line is shown in pieces */

struct output {
    uv_pipe_t pipe;
    struct output **slot;
    int to;
    size_t prefix_length, length;
    char prefix[128];
    char input[16384];
    char line[LINE_MAX_BYTES]; /* the last line, as far as it has come */
    char text[64u << 10];      /* on its way out */
    size_t text_length;
};

static void flush(struct output *o)
{
    const char *p = o->text;
    size_t left = o->text_length;
    o->text_length = 0;
    while (left) {
        ssize_t n = write(o->to, p, left);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = o->to, .events = POLLOUT}, 1, -1);
        else if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            p += n;
            left -= (size_t)n;
        }
    }
}

static void put(struct output *o, const char *data, size_t length)
{
    if (o->text_length + length > sizeof o->text)
        flush(o);
    memcpy(o->text + o->text_length, data, length);
    o->text_length += length;
}

static void put_line(struct output *o)
{
    put(o, o->prefix, o->prefix_length);
    put(o, o->line, o->length);
    put(o, "\n", 1);
    o->length = 0;
}

static void take(struct output *o, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] == '\n') {
            put_line(o);
            continue;
        }
        if (o->length == sizeof o->line)
            put_line(o);
        o->line[o->length++] = data[i];
    }
    flush(o);
}

static void on_close(uv_handle_t *handle)
{
    struct output *o = handle->data;
    if (o->slot)
        *o->slot = NULL;
    free(o);
}

void output_stop(struct output *o)
{
    if (!o || uv_is_closing((uv_handle_t *)&o->pipe))
        return;
    if (o->length)
        put_line(o);
    flush(o);
    uv_close((uv_handle_t *)&o->pipe, on_close);
}

void output_watch(struct output *o, struct output **slot)
{
    o->slot = slot;
    *slot = o;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct output *o = handle->data;
    *buffer = uv_buf_init(o->input, sizeof o->input);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct output *o = stream->data;
    if (n < 0)
        output_stop(o);
    else
        take(o, buffer->base, (size_t)n);
}

struct output *output_create(uv_loop_t *loop, const char *prefix, int to, int *descriptor, struct drd_error *e)
{
    int ends[2];
    struct output *o = calloc(1, sizeof *o);
    if (!o || pipe2(ends, O_CLOEXEC) < 0) {
        free(o);
        return error_set_errno(e, DRD_EXIT_CANNOT, "pipe for a node's output"), NULL;
    }
    o->to = to;
    o->prefix_length = strlen(prefix) < sizeof o->prefix ? strlen(prefix) : sizeof o->prefix;
    memcpy(o->prefix, prefix, o->prefix_length);
    uv_pipe_init(loop, &o->pipe, 0);
    o->pipe.data = o;
    if (uv_pipe_open(&o->pipe, ends[0]) || uv_read_start((uv_stream_t *)&o->pipe, on_allocate, on_read)) {
        close(ends[1]);
        output_stop(o);
        return error_set(e, DRD_EXIT_CANNOT, "cannot read a node's output"), NULL;
    }
    *descriptor = ends[1];
    return o;
}
