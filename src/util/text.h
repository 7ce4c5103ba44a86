/* Numbers and bytes as people read them. All of them write into the caller's buffer, cut to fit, and return it. */
#ifndef DRD_UTIL_TEXT_H
#define DRD_UTIL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_MAX 40 /* enough for any of the number functions */

/* "58 bytes", "1.2 KiB", "3.4 GiB" */
char *text_size(uint64_t bytes, char *out, size_t size);
/* "0 s", "890 ns", "12.3 us", "4.50 ms", "12.345 s", "3 min 04 s", "2 h 05 min" */
char *text_duration(uint64_t ns, char *out, size_t size);
/* "12,345,678" */
char *text_count(uint64_t n, char *out, size_t size);

/* Bytes on one line, quoted, with C escapes; "..." behind the quote if they did not all fit into `size`. */
char *text_quote(const void *data, size_t length, char *out, size_t size);

/* A word of a shell command that is to be pasted, quoted if it has to be: names of nodes and files are anything. Control
 * characters become '?': who has such a name sees in the line what it is. */
void text_shell(const char *word, FILE *out);

/* Names and words that come from programs or from a run, as they are but for control characters, which become '?': nothing in
 * them may steer the terminal. */
void text_plain(const char *text, FILE *out);

/* How a process ended, of a wait status: "ends with status 1", "is killed by signal 9", "ends, it is not known how" below 0. */
void text_end(int status, char *out, size_t size);

/* Offset, sixteen bytes in hex, the same as text; one line for each sixteen, each after `indent`. */
void text_hexdump(const void *data, size_t length, const char *indent, FILE *out);

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none (RFC 3629: shortest form, no surrogates). */
size_t text_utf8(const unsigned char *p, size_t length);

#endif
