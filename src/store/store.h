/* A run: one SQLite file. docs/trace-format.md describes the tables.
 *
 * Raw chunks (the streams of all processes) are written once and never changed; rows are derived from them by an
 * indexing pass and can be made again. All functions set `e` on failure. A store is used by one thread at a time. */
#ifndef DRD_STORE_STORE_H
#define DRD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/reader.h"
#include "util/error.h"

#define STORE_APPLICATION_ID 0x44524431 /* "DRD1", see PRAGMA application_id */
#define STORE_FORMAT_VERSION 2          /* raised with every change of the tables or of what they hold */
#define STORE_MIN_READER_VERSION 2      /* the oldest reader that can read what this one writes */

struct sqlite3;
struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Make a new run file (0600), marked unfinished. Fails with a clear word if the file exists and is in use. */
struct store *store_create(const char *path, struct drd_error *e);
/* Open an existing one. Tells apart: no such file, not a DRD run, newer format, damaged, being recorded. */
struct store *store_open(const char *path, enum store_mode mode, struct drd_error *e);
void store_close(struct store *s); /* accepts NULL */
struct sqlite3 *store_database(struct store *s); /* for rows and queries of other folders of src/ */
const char *store_path(const struct store *s);

/* Facts about the run as key and text: "state" ("recording", "complete", "incomplete"), "command", "started"
 * (RFC 3339), "drd_version", "host", "kernel", "exit_status", "spool", "index_version", ... */
bool store_fact_set(struct store *s, const char *key, const char *value, struct drd_error *e);
/* Copies the value into out[size]; returns false with e untouched if there is none. */
bool store_fact(struct store *s, const char *key, char *out, size_t size);

bool store_begin(struct store *s, struct drd_error *e);
bool store_commit(struct store *s, struct drd_error *e);

/* One process of the run. Strings are owned by the struct (store_process_fini). */
struct store_process {
    uint32_t number;         /* its process number, from 1 */
    uint32_t parent;         /* 0: none recorded */
    bool forked;             /* its stream begins in the middle of the parent's program */
    bool same_pid;           /* the parent's pid after execve */
    int pid;
    char *node;              /* name shown: DRD_NODE, else program and number, "server#2" */
    uint32_t incarnation;    /* 1, 2, ... of that node */
    uint64_t event_base;     /* n2@4711 is the event with sequence 4711 - event_base of this process */
    char *exe;               /* path of the program */
    uint64_t start, end;     /* ns CLOCK_MONOTONIC; end 0 if unknown */
    int status;              /* as waitpid(2) gives it; -1 unknown */
    uint64_t events, bytes;  /* records and bytes of stream */
    bool complete;           /* the stream reaches the end of the process */
    char *incomplete_reason; /* or NULL */
    uint64_t draft;          /* bytes at the end of the stream that are a call begun and not ended */
};
void store_process_fini(struct store_process *p);
bool store_process_put(struct store *s, const struct store_process *p, struct drd_error *e); /* insert or replace */
/* All processes in order of number. *out is malloced, free each with store_process_fini and then the array. */
bool store_processes(struct store *s, struct store_process **out, size_t *count, struct drd_error *e);

/* Append the next piece of a process's stream: whole records, `state` as it was before the first of them. Large bins
 * are moved to table payload, the rest sorted into columns, compressed and checksummed. */
bool store_chunk_append(struct store *s, uint32_t process, const struct trace_state *state, const uint8_t *bytes,
                        size_t length, uint64_t records, struct drd_error *e);

/* Reading a stream back, record by record, in constant memory. */
struct stream;
struct stream *stream_open(struct store *s, uint32_t process, struct drd_error *e);
void stream_close(struct stream *st);
/* 1: *event is the next one (valid until the next call), 0: end, -1: error (checksum, not a record). */
int stream_next(struct stream *st, struct trace_event *event, struct drd_error *e);
/* Go to the record with this sequence number; 0 if the stream has fewer. */
int stream_seek(struct stream *st, uint64_t sequence, struct drd_error *e);
/* What decoding remembers after the record read last. */
const struct trace_state *stream_state(const struct stream *st);
/* Write the raw stream, payloads put back, to a descriptor; *bytes gets its length. */
bool stream_copy(struct store *s, uint32_t process, int fd, uint64_t *bytes, struct drd_error *e);

/* All streams of a run merged into one causal order: by time, and never a receive before its send, a child before its
 * fork, a thread of one process out of its order. Ties are broken by process and sequence. Constant memory. */
struct timeline;
struct timeline *timeline_open(struct store *s, struct drd_error *e);
void timeline_close(struct timeline *t);
int timeline_next(struct timeline *t, struct trace_event *event, struct drd_error *e); /* as stream_next */

/* "n2@4711" into out. Needs the processes as store_processes gave them. */
void event_name(const struct store_process *p, uint64_t sequence, char *out, size_t size);
/* Parse "n2@4711": fills process number and sequence. Errors say whether node or event is unknown. */
bool event_find(struct store *s, const char *name, uint32_t *process, uint64_t *sequence, struct drd_error *e);

/* Walk all pages, checksums and references. Calls `report` for every finding; returns the number of findings, -1 if it
 * could not be done. */
int store_check(struct store *s, void (*report)(void *context, const char *finding), void *context, struct drd_error *e);

#endif
