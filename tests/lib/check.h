/* cmocka with the headers it wants in front, and scratch directories. */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A new empty directory, made the current one; its path is kept in `out`. */
void scratch_enter(char *out, size_t size);
/* Remove it with all that is in it. */
void scratch_leave(const char *path);

/* The whole file as a string with a NUL behind it, malloced; fails the test if it cannot be read. */
char *file_text(const char *path);

#endif
