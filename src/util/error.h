/* What went wrong, in words for the person at the terminal.
 *
 * A function that can fail takes a `struct drd_error *` as its last parameter, fills it once at the place of the
 * failure, and returns false, NULL or -1. Callers add context on the way up with error_wrap(); only src/cli prints. */
#ifndef DRD_UTIL_ERROR_H
#define DRD_UTIL_ERROR_H

#include <stdbool.h>

/* The exit codes of every command (docs/exit-codes.md). */
enum drd_exit {
    DRD_EXIT_OK = 0,        /* ok, same, no violation */
    DRD_EXIT_DIFFERS = 1,   /* differs, violated, diverged */
    DRD_EXIT_UNKNOWN = 2,   /* DRD could not tell */
    DRD_EXIT_NOTHING = 5,   /* nothing selected */
    DRD_EXIT_TIMEOUT = 124,
    DRD_EXIT_CANNOT = 125,  /* could not record, replay or judge; `git bisect run` skips */
    DRD_EXIT_FATAL = 128,   /* no such run, corrupt run, newer format, I/O error */
    DRD_EXIT_USAGE = 129,
};

struct drd_error {
    int exit_code;      /* enum drd_exit; 0 while nothing failed */
    char message[512];  /* one line, no newline, not capitalised: what, where, what to do */
};

/* Fill `e` (may be NULL) and return false, so that `return error_set(...)` reads well. */
bool error_set(struct drd_error *e, enum drd_exit code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errno)" at the end. */
bool error_set_errno(struct drd_error *e, enum drd_exit code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Put "context: " before the message. Returns false. */
bool error_wrap(struct drd_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
