/* Starting programs under the recorder. */
#ifndef DRD_RECORD_LAUNCH_H
#define DRD_RECORD_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

#include "util/error.h"

/* libdrd_shim.so: DRD_SHIM if set, else beside the drd program, else where `make install` puts it. */
bool launch_find_shim(char path[PATH_MAX], struct drd_error *e);

/* The file that `program` names, by PATH as execvp(3) does. Errors: 127 not found, 126 not executable. */
bool launch_find_program(const char *program, char path[PATH_MAX], struct drd_error *e);

/* Why the shim would not be loaded into this program ("it is statically linked"), NULL if it would. Scripts are taken to
 * be fine: their interpreter is looked at when it starts. */
const char *launch_unrecordable(const char *path);

struct launch {
    const char *path;        /* from launch_find_program */
    char *const *argv;
    char *const *environment;
    sigset_t mask;           /* its signal mask */
    int output, error;       /* descriptors for stdout and stderr, -1: the recorder's own */
    int directory;           /* to be inherited as MAILBOX_SPOOL_FD, -1: none */
    bool own_group;          /* a process group of its own, and no standard input: a node */
};

/* Start it with fixed addresses. *randomized is set if the kernel refuses that. Returns the pid, -1 on failure (126). */
pid_t launch_start(const struct launch *l, bool *randomized, struct drd_error *e);

/* The environment of recorded programs: `from`, NULL: environ, with the shim, the spool and what keeps libraries from sources of chance
 * that no shim sees. `node` is DRD_NODE or NULL. Free with launch_environment_free. */
char **launch_environment(char *const *from, const char *shim, const char *spool, const char *control, const char *node);
/* The other way round: what it was made from, of `count` words of such an environment. In place; returns how many are left. */
size_t launch_environment_before(char **word, size_t count);
void launch_environment_free(char **environment);

/* The words of a command line if no shell is needed to read it, NULL if one is. Free the array and [0]. */
char **launch_words(const char *command);

#endif
