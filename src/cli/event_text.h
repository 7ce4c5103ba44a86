/* Events in words: one line for `drd log`, everything for `drd show`, JSON for programs. */
#ifndef DRD_CLI_EVENT_TEXT_H
#define DRD_CLI_EVENT_TEXT_H

#include <stdio.h>

#include "trace/reader.h"
#include "util/json.h"

/* What happened, on one line without its end: "recvfrom 7 -> 58 bytes  "..."". At most `quote` characters of data. */
void event_line(const struct trace_event *event, int quote, FILE *out);

/* All arguments by name, data in hex and text, one indented line or block each. */
void event_details(const struct trace_event *event, FILE *out);

/* Members "kind", "result", "arguments" or "fields" of an object that the caller has begun. */
void event_json(const struct trace_event *event, struct json_writer *j);

#endif
