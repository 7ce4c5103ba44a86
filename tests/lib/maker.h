/* Streams and runs by hand, for tests of what reads them. */
#ifndef TESTS_LIB_MAKER_H
#define TESTS_LIB_MAKER_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct maker {
    uint8_t bytes[1 << 16];
    size_t length;
};

/* Append one record. Each letter of `form` takes an argument: i int64_t, s string, b bytes (const void *, size_t), n none
 * (nil). "t" alone is a clock read: int64_t. */
void maker_record(struct maker *m, const char *form, ...);

/* A run file with these processes and their streams; node, exe, pid, start and so on are the caller's, the rest is filled. */
void maker_run(const char *path, struct store_process *process, const struct maker *stream, size_t count);

#endif
