/* Runs by name, as git names commits.
 *
 * Runs that were given no file name live in a store directory: the environment variable DRD_STORE, else the nearest .drd/
 * in the current directory or above. Their files are runs/TIME-ID.drd: TIME orders them, ID (seven hex digits, random)
 * names them, so that the first two or three digits usually suffice.
 *
 * A run reference is one of
 *   @  @~N       the latest run, the Nth before it
 *   7f3          the one run whose id begins with this
 *   path         a file
 *   name         a tag (store/tags.h), where no file has that name
 * An event may follow: RUN@n2@4711. "n2@4711" alone is an event of the latest run. */
#ifndef DRD_STORE_REFS_H
#define DRD_STORE_REFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define REFS_ID 7 /* hex digits of an id */

struct refs_entry {
    char id[REFS_ID + 1];
    char path[PATH_MAX];
};

/* The store directory. 1 found, 0 there is none, -1 error. */
int refs_directory(char out[PATH_MAX], struct drd_error *e);

/* Choose the file of a new run; makes .drd/ in the current directory if there is none. */
bool refs_new(struct refs_entry *out, struct drd_error *e);

/* Choose the file of a run that comes from elsewhere, where it had this file name: the same if it is a name of ours that is not
 * taken (`taken` says so), else a new one. */
bool refs_adopt(const char *name, struct refs_entry *out, bool *taken, struct drd_error *e);

/* The file that a run reference (without event) stands for. */
bool refs_resolve(const char *reference, char path[PATH_MAX], struct drd_error *e);

/* RUN@n2@4711 in two: `run` is a run reference ("@" where none was given), `event` is "n2@4711" or "". */
bool refs_split(const char *text, char run[PATH_MAX], char event[PATH_MAX], struct drd_error *e);

/* What to call the run in this file in a command line: `id`, filled, if it is one of the store's, else `path`. */
const char *refs_name(const char *path, char id[REFS_ID + 1]);

/* All runs of the store directory, latest first; none without one. *out is malloced. */
bool refs_list(struct refs_entry **out, size_t *count, struct drd_error *e);

#endif
