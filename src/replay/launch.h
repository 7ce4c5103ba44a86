/* Starting a recorded program again so that it comes to lie at the same addresses. */
#ifndef DRD_REPLAY_LAUNCH_H
#define DRD_REPLAY_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "replay/manifest.h"

struct launch {
    const struct manifest *manifest;
    const char *stream;  /* file to open as REPLAY_FD */
    const char *errors;  /* file for what the loader says */
    const char *root;    /* the directory to take for "/" (root.h), NULL: none */
    const char *stage;   /* its stage */
    int spool;           /* directory to open as MAILBOX_SPOOL_FD, for a process that will go on (simulate/follow.h); 0: none */
    bool echo;           /* what the node writes to its descriptors 1 and 2 goes to ours */
};

/* Starts the program as leader of a process group of its own. Fails if exec does. */
bool launch_program(const struct launch *l, pid_t *pid, struct drd_error *e);

/* The argv to give to execve. A script was recorded with what the kernel made of its "#!" line in front; execve of the
 * script will put that there again, so it is taken off. Points into m->argv. */
char **launch_argv(const struct manifest *m);

#endif
