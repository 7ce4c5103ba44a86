#include "record/children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/launch.h"
#include "trace/mailbox.h"
#include "util/term.h"

bool child_prepare_command(struct child *c, char *const *argv, struct drd_error *e)
{
    c->pidfd = -1;
    c->argv = (char **)(uintptr_t)argv;
    return launch_find_program(argv[0], c->path, e);
}

bool child_prepare_node(struct child *c, const struct recorder_node *node, struct drd_error *e)
{
    c->pidfd = -1;
    c->name = node->name;
    c->argv = launch_words(node->command);
    if (!c->argv) {
        c->argv = calloc(4, sizeof *c->argv);
        if (!c->argv)
            return error_set(e, DRD_EXIT_CANNOT, "out of memory");
        c->argv[0] = strdup("sh");
        c->argv[1] = (char *)(uintptr_t)"-c";
        c->argv[2] = node->command;
    }
    c->own_argv = true;
    return launch_find_program(c->argv[0], c->path, e) || error_wrap(e, "node %s", node->name);
}

void child_fini(struct child *c)
{
    if (c->own_argv) {
        free(c->argv[0]);
        free(c->argv);
    }
    c->argv = NULL;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    child_reap(poll->data);
}

static bool make_outputs(struct child *c, const struct child_setting *setting, unsigned index, int descriptor[2],
                         struct drd_error *e)
{
    static const char *const colours[] = {"\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m", "\033[31m"};
    char prefix[128];
    for (int i = 0; i < 2; i++) {
        bool color = term_color(i ? stderr : stdout, "auto");
        snprintf(prefix, sizeof prefix, "%s%-*s | %s", color ? colours[index % 6] : "", (int)setting->name_width, c->name,
                 color ? "\033[0m" : "");
        struct output *o = output_create(setting->loop, prefix, i + 1, &descriptor[i], e);
        if (!o)
            return false;
        output_watch(o, &c->output[i]);
    }
    return true;
}

bool child_start(struct child *c, const struct child_setting *setting, unsigned index, bool *randomized, struct drd_error *e)
{
    int descriptor[2] = {-1, -1};
    char **environment = launch_environment(setting->environment, setting->shim,
                                            setting->directory >= 0 ? MAILBOX_SPOOL_DIR : setting->spool->dir, setting->control,
                                            c->name);
    if (!environment)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    bool ok = !c->name || make_outputs(c, setting, index, descriptor, e);
    const struct launch launch = {
        .path = c->path, .argv = c->argv, .environment = environment, .mask = setting->mask, .output = descriptor[0],
        .error = descriptor[1], .own_group = c->name != NULL, .directory = setting->directory,
    };
    c->pid = ok ? launch_start(&launch, randomized, e) : -1;
    for (int i = 0; i < 2; i++)
        if (descriptor[i] >= 0)
            close(descriptor[i]);
    launch_environment_free(environment);
    if (c->pid < 0)
        return false;
    c->running = true;
    c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    if (c->pidfd >= 0 && uv_poll_init(setting->loop, &c->poll, c->pidfd) == 0) {
        c->poll.data = c;
        uv_poll_start(&c->poll, UV_READABLE, on_readable);
    }
    return true;
}

void child_reap(struct child *c)
{
    if (!c->running || waitpid(c->pid, &c->status, WNOHANG) != c->pid)
        return;
    c->running = false;
    if (c->poll.data)
        uv_poll_stop(&c->poll);
    if (c->ended)
        c->ended(c);
}

void child_signal(const struct child *c, int signo)
{
    if (c->pid > 0 && c->name)
        kill(-c->pid, signo); /* also what a node left behind in its group */
    else if (c->running)
        kill(c->pid, signo);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;
    close(c->pidfd);
    c->pidfd = -1;
}

void child_close(struct child *c)
{
    output_stop(c->output[0]);
    output_stop(c->output[1]);
    if (c->pidfd >= 0 && c->poll.data)
        uv_close((uv_handle_t *)&c->poll, on_poll_closed);
}
