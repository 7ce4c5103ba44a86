#include "record/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_NS 2000000000ull /* for nodes to see a cut; a node in a long computation may need longer */
#define WORDS 300

struct client {
    uv_pipe_t pipe;
    struct control *control;
    struct client *next;
    char line[CONTROL_LINE];
    size_t length;
    struct fault_wait wait;
    uint64_t deadline;
    bool waiting;
    uv_write_t request;
    char answer[600];
};

struct control {
    uv_loop_t *loop;
    uv_pipe_t server;
    struct faults *faults;
    struct client *clients;
};

/* ---- the recorder's end ---- */

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    if (client->control) {
        struct client **at = &client->control->clients;
        while (*at != client)
            at = &(*at)->next;
        *at = client->next;
    }
    free(client);
}

static void client_close(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->pipe))
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    client_close(request->data);
}

static void answer(struct client *client)
{
    uv_buf_t buffer = uv_buf_init(client->answer, (unsigned)strlen(client->answer));
    client->waiting = false;
    client->request.data = client;
    if (uv_write(&client->request, (uv_stream_t *)&client->pipe, &buffer, 1, on_written))
        client_close(client);
}

static void execute(struct client *client)
{
    char *word[WORDS], *rest = client->line, *one;
    int count = 0;
    struct drd_error e = {0};
    while (count < WORDS && (one = strsep(&rest, " ")))
        if (*one)
            word[count++] = one;
    struct faults *faults = client->control->faults;
    faults->take(faults->owner);
    bool ok = faults_execute(faults, count, word, &client->wait, &e);
    faults->leave(faults->owner);
    if (!ok) {
        snprintf(client->answer, sizeof client->answer, "error %d %s\n", e.exit_code, e.message);
        answer(client);
        return;
    }
    snprintf(client->answer, sizeof client->answer, "ok\n");
    client->deadline = uv_hrtime() + WAIT_NS;
    client->waiting = true;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct client *client = handle->data;
    *buffer = uv_buf_init(client->line + client->length, (unsigned)(sizeof client->line - 1 - client->length));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    (void)buffer;
    struct client *client = stream->data;
    if (n < 0) {
        client_close(client);
        return;
    }
    client->length += (size_t)n;
    client->line[client->length] = 0;
    char *end = strchr(client->line, '\n');
    if (!end)
        return;
    *end = 0;
    uv_read_stop(stream);
    execute(client);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *c = server->data;
    struct client *client = status ? NULL : calloc(1, sizeof *client);
    if (!client)
        return;
    uv_pipe_init(c->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->control = c;
    client->next = c->clients;
    c->clients = client;
    if (uv_accept(server, (uv_stream_t *)&client->pipe) || uv_read_start((uv_stream_t *)&client->pipe, on_allocate, on_read))
        client_close(client);
}

struct control *control_create(uv_loop_t *loop, const char *path, struct faults *faults, struct drd_error *e)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory"), NULL;
    c->loop = loop;
    c->faults = faults;
    uv_pipe_init(loop, &c->server, 0);
    c->server.data = c;
    int problem = uv_pipe_bind(&c->server, path);
    if (!problem)
        problem = uv_listen((uv_stream_t *)&c->server, 16, on_connection);
    if (!problem)
        return c;
    control_destroy(c);
    return error_set(e, DRD_EXIT_CANNOT, "%s: %s", path, uv_strerror(problem)), NULL;
}

bool control_step(struct control *c)
{
    bool waiting = false;
    for (struct client *client = c->clients, *next; client; client = next) {
        next = client->next;
        if (!client->waiting)
            continue;
        c->faults->take(c->faults->owner);
        bool settled = faults_settled(c->faults, &client->wait);
        c->faults->leave(c->faults->owner);
        if (settled) {
            answer(client);
        } else if (uv_hrtime() > client->deadline) {
            snprintf(client->answer, sizeof client->answer,
                     "warning not every process has seen it after 2 s; each will at its next system call\n");
            answer(client);
        } else {
            waiting = true;
        }
    }
    return waiting;
}

static void on_server_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void control_destroy(struct control *c)
{
    if (!c)
        return;
    for (struct client *client = c->clients; client; client = client->next) {
        client->control = NULL;
        client_close(client);
    }
    uv_close((uv_handle_t *)&c->server, on_server_closed);
}

/* ---- the command's end ---- */

static int control_connect(const char *path, struct drd_error *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        error_set(e, DRD_EXIT_FATAL, SPOOL_ENV_CONTROL "=%.60s...: too long for a socket", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    error_set_errno(e, DRD_EXIT_FATAL, "the recorder does not answer at %s", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_words(int fd, int count, char *const *word, struct drd_error *e)
{
    char line[CONTROL_LINE];
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        if (strpbrk(word[i], " \n") || used + strlen(word[i]) + 2 > sizeof line)
            return error_set(e, DRD_EXIT_USAGE, "%.60s: not the name of a node", word[i]);
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", i ? " " : "", word[i]);
    }
    line[used++] = '\n';
    return send(fd, line, used, MSG_NOSIGNAL) == (ssize_t)used ||
           error_set_errno(e, DRD_EXIT_FATAL, "asking the recorder");
}

static bool read_answer(int fd, char *out, size_t size, struct drd_error *e)
{
    size_t length = 0;
    ssize_t n;
    while (length + 1 < size && ((n = read(fd, out + length, size - 1 - length)) > 0 || (n < 0 && errno == EINTR)))
        length += n > 0 ? (size_t)n : 0;
    out[length] = 0;
    if (!length || out[length - 1] != '\n')
        return error_set(e, DRD_EXIT_FATAL, "the recorder ended without an answer");
    out[length - 1] = 0;
    return true;
}

static bool take_answer(const char *text, char *warning, size_t size, struct drd_error *e)
{
    int used = 0, code = DRD_EXIT_FATAL;
    *warning = 0;
    if (!strcmp(text, "ok"))
        return true;
    if (sscanf(text, "error %d %n", &code, &used) == 1 && used)
        return error_set(e, (enum drd_exit)code, "%s", text + used);
    if (!strncmp(text, "warning ", 8)) {
        snprintf(warning, size, "%s", text + 8);
        return true;
    }
    return error_set(e, DRD_EXIT_FATAL, "the recorder answered %.100s", text);
}

bool control_ask(int count, char *const *word, char *warning, size_t size, struct drd_error *e)
{
    char text[700];
    const char *path = getenv(SPOOL_ENV_CONTROL);
    if (!path || !*path)
        return error_set(e, DRD_EXIT_FATAL, "faults are for commands under `drd record`: " SPOOL_ENV_CONTROL " is not set");
    int fd = control_connect(path, e);
    if (fd < 0)
        return false;
    bool ok = send_words(fd, count, word, e) && read_answer(fd, text, sizeof text, e) &&
              take_answer(text, warning, size, e);
    close(fd);
    return ok;
}
