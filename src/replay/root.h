/* The packed files of a run, laid out below a directory as they were on the machine that recorded it.
 *
 * A replay runs the recorded instructions at the recorded addresses, so the loader must find every file under the path that
 * was recorded: the path's length moves the stack, the order of mappings moves the libraries. So a program of a pack is
 * started with this directory as its root, in a mount namespace of its own, where the shim finds /proc and the stage as well. */
#ifndef DRD_REPLAY_ROOT_H
#define DRD_REPLAY_ROOT_H

#include <limits.h>

#include "replay/stage.h"

struct root {
    char path[PATH_MAX]; /* "": there is none, and files are where their paths say */
};

/* Lay out all packed files of the run below the stage, and see whether this machine lets us use them. 1: done, 0: the run is
 * no pack, -1: error. */
int root_make(struct root *root, const struct stage *stage, struct store *s, struct drd_error *e);

/* Lay them out below a new directory, for people. */
bool root_lay_out(const char *directory, struct store *s, struct drd_error *e);

/* In a child that is about to become the recorded program: change into it. False: errno says why. */
bool root_enter(const char *root, const char *stage);

#endif
