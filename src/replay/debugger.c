#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/session.h"

#define LOOK_INTERVAL 10000 /* us */

static size_t target(const struct replay *r, const struct slot *slot)
{
    for (size_t i = 0; i < slot->group->members; i++)
        if (r->process[slot->group->member[i]].number == r->options.until_process)
            return slot->group->member[i];
    return slot->group->member[0];
}

static bool is_there(const struct replay_file *file)
{
    return file->state == REPLAY_STOPPED || file->events >= file->until;
}

/* The process polls until it is traced, so it is not attached to before it has come to the event: every trapped call
 * would go through the debugger. */
static bool wait_until_there(const struct slot *slot, const struct replay_file *file, struct drd_error *e)
{
    while (!is_there(file)) {
        siginfo_t gone = { 0 };
        if (waitid(P_PID, (id_t)slot->leader, &gone, WEXITED | WNOHANG | WNOWAIT) || gone.si_pid)
            break;
        if (file->state == REPLAY_DIVERGED || file->state == REPLAY_FAILED)
            break;
        usleep(LOOK_INTERVAL);
    }
    if (is_there(file))
        return true;
    return error_set(e, DRD_EXIT_CANNOT, "the replay ended at event %llu, before the one asked for%s%.200s",
                     (unsigned long long)file->events, file->what[0] ? ": " : "", file->what);
}

static char **command_line(char *const *words, char *pid)
{
    size_t n = 0;
    while (words[n])
        n++;
    char **argv = calloc(n + 3, sizeof *argv);
    if (!argv)
        return NULL;
    memcpy(argv, words, n * sizeof *argv);
    argv[n] = "-p";
    argv[n + 1] = pid;
    return argv;
}

bool session_debug(struct replay *r, struct slot *slot, struct drd_error *e)
{
    const struct replay_file *file = r->header[target(r, slot)];
    if (!wait_until_there(slot, file, e))
        return false;
    char number[16];
    snprintf(number, sizeof number, "%u", file->pid ? file->pid : (unsigned)slot->leader);
    char **argv = command_line(r->options.debugger, number);
    if (!argv)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
        execvp(argv[0], argv);
        _exit(errno == ENOENT ? 127 : 126);
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    bool ok = pid > 0 && !(WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126));
    if (!ok)
        error_set(e, DRD_EXIT_CANNOT, "cannot start %s: is it installed?", argv[0]);
    free(argv);
    return ok;
}
