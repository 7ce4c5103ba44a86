/* The programs that the recorder itself starts: the command and the nodes. */
#ifndef DRD_RECORD_CHILDREN_H
#define DRD_RECORD_CHILDREN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "record/output.h"
#include "record/procfile.h"
#include "record/spool.h"

struct child {
    pid_t pid;          /* 0: not started */
    bool running;
    int status;         /* as waitpid(2) gives it */
    const char *name;   /* of a node; NULL: the command */
    char **argv;
    bool own_argv;
    char path[4096];
    int pidfd;
    uv_poll_t poll;
    struct output *output[2];
    void (*ended)(struct child *child);
    void *context;
};

/* Find the program, so that "not found" is known before anything is made. */
bool child_prepare_command(struct child *c, char *const *argv, struct drd_error *e);
bool child_prepare_node(struct child *c, const struct recorder_node *node, struct drd_error *e);
void child_fini(struct child *c);

struct child_setting {
    uv_loop_t *loop;
    const char *shim;
    const struct spool *spool;
    const char *control;
    sigset_t mask;
    int directory;     /* of the spool, inherited under MAILBOX_SPOOL_FD; -1: by its path */
    char *const *environment; /* of what is started, NULL: the recorder's own */
    size_t name_width; /* of the longest node name */
};

bool child_start(struct child *c, const struct child_setting *setting, unsigned index, bool *randomized, struct drd_error *e);
/* Has it ended? Calls c->ended once. */
void child_reap(struct child *c);
void child_signal(const struct child *c, int signo); /* a node: its whole process group */
void child_close(struct child *c);                   /* its handles; the loop must run once more */

#endif
