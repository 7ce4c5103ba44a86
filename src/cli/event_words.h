/* Words that the line of an event and its details share. */
#ifndef DRD_CLI_EVENT_WORDS_H
#define DRD_CLI_EVENT_WORDS_H

#include <stdio.h>

#include "trace/reader.h"

#define WORDS_QUOTE 1000 /* most characters that words_quoted prints */

void words_quoted(struct trace_bytes bytes, size_t most, FILE *out);

/* "127.0.0.1:7001", "[::1]:7001", "unix:/run/x" out of a sockaddr as the kernel wrote it; "?" if it is none of these. */
void words_address(struct trace_bytes bytes, FILE *out);
bool words_is_address(int32_t call, unsigned argument);

/* "17", "EAGAIN", "0x7ffff7ed7840" */
void words_result(int64_t result, FILE *out);

/* The data a call moved: its first such argument, NULL if it moved none. *given: the process gave them to the kernel. */
const struct trace_bytes *words_moved(const struct trace_event *e, const struct call_info *call, bool *given);

#endif
