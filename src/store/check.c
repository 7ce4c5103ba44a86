/* drd fsck: is everything in a run file as it was written? */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/pack.h"
#include "store/page.h"

#define FINDINGS_MAX 1000 /* of one kind: nobody reads more */

struct check {
    struct store *store;
    void (*report)(void *context, const char *finding);
    void *context;
    int findings;
};

static void found(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void found(struct check *c, const char *format, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    c->findings++;
    if (c->report)
        c->report(c->context, text);
}

/* The file as bytes: SQLite reads only pages that it needs. */
static bool check_pages(struct check *c, struct drd_error *e)
{
    uint8_t page[PAGE_SIZE];
    struct stat st;
    if (fstat(c->store->lock_fd, &st) < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", c->store->path);
    if (st.st_size % PAGE_SIZE)
        found(c, "the file's length, %lld bytes, is not a whole number of pages", (long long)st.st_size);
    for (off_t at = 0; at + PAGE_SIZE <= st.st_size && c->findings < FINDINGS_MAX; at += PAGE_SIZE) {
        if (pread(c->store->lock_fd, page, sizeof page, at) != PAGE_SIZE)
            return error_set_errno(e, DRD_EXIT_FATAL, "%s", c->store->path);
        if (!page_valid(page, sizeof page))
            found(c, "page %lld (bytes %lld to %lld) does not fit its checksum", (long long)(at / PAGE_SIZE + 1),
                  (long long)at, (long long)at + PAGE_SIZE - 1);
    }
    return true;
}

static void check_length(struct check *c)
{
    sqlite3_stmt *st;
    struct stat file;
    if (sqlite3_prepare_v2(c->store->db, "PRAGMA page_count", -1, &st, NULL) != SQLITE_OK)
        return;
    if (sqlite3_step(st) == SQLITE_ROW && fstat(c->store->lock_fd, &file) == 0 &&
        sqlite3_column_int64(st, 0) != file.st_size / PAGE_SIZE)
        found(c, "the file has %lld pages and says it has %lld", (long long)(file.st_size / PAGE_SIZE),
              (long long)sqlite3_column_int64(st, 0));
    sqlite3_finalize(st);
}

static void check_database(struct check *c)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(c->store->db, "PRAGMA integrity_check(100)", -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(st, 0);
        if (text && strcmp(text, "ok"))
            found(c, "database: %s", text);
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_OK && rc != SQLITE_DONE)
        found(c, "database: %s", sqlite3_errmsg(c->store->db));
    sqlite3_finalize(st);
}

static void check_payloads(struct check *c)
{
    struct drd_error e;
    struct buffer content = {NULL, 0, 0};
    sqlite3_stmt *st = store_statement(c->store, ST_PAYLOAD_ALL, &e);
    int rc = SQLITE_ERROR;
    while (st && (rc = sqlite3_step(st)) == SQLITE_ROW && c->findings < FINDINGS_MAX) {
        content.length = 0;
        if (!payload_read(c->store, st, &content, &e))
            found(c, "%s", e.message);
    }
    if (!st || (rc != SQLITE_ROW && rc != SQLITE_DONE))
        found(c, "payloads: %s", sqlite3_errmsg(c->store->db));
    sqlite3_reset(st);
    free(content.data);
}

/* Written to nowhere, which checks them. */
static void check_packed(struct check *c)
{
    struct drd_error e;
    struct pack_file *list = NULL;
    size_t count = 0;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (!pack_files(c->store, &list, &count, &e))
        found(c, "%s", e.message);
    for (size_t i = 0; i < count && c->findings < FINDINGS_MAX; i++)
        if (!pack_extract(c->store, &list[i], nowhere, &e))
            found(c, "%s", e.message);
    pack_files_free(list, count);
    if (nowhere >= 0)
        close(nowhere);
}

static void check_stream(struct check *c, const struct store_process *p)
{
    struct drd_error e;
    struct trace_event event;
    uint64_t records = 0, bytes = 0;
    int more = -1;
    struct stream *st = stream_open(c->store, p->number, &e);
    while (st && (more = stream_next(st, &event, &e)) == 1) {
        records++;
        bytes += event.raw.length;
    }
    stream_close(st);
    if (more < 0)
        found(c, "%s", e.message);
    else if (records != p->events || bytes != p->bytes)
        found(c, "process %u (%s): %llu events in %llu bytes where the run says %llu in %llu", p->number, p->node,
              (unsigned long long)records, (unsigned long long)bytes, (unsigned long long)p->events,
              (unsigned long long)p->bytes);
}

static void check_state(struct check *c)
{
    char state[32] = "";
    store_fact(c->store, "state", state, sizeof state);
    if (strcmp(state, "complete") && strcmp(state, "incomplete"))
        found(c, "unfinished: the recorder was killed; `drd fsck --repair` finishes the run");
}

int store_check(struct store *s, void (*report)(void *context, const char *finding), void *context, struct drd_error *e)
{
    struct check c = {s, report, context, 0};
    struct store_process *list = NULL;
    size_t count = 0;
    struct drd_error failure;
    if (!check_pages(&c, e))
        return -1;
    check_length(&c);
    check_database(&c);
    check_state(&c);
    if (!store_processes(s, &list, &count, &failure))
        found(&c, "%s", failure.message);
    for (size_t i = 0; i < count; i++) {
        check_stream(&c, &list[i]);
        store_process_fini(&list[i]);
    }
    free(list);
    check_payloads(&c);
    check_packed(&c);
    return c.findings;
}
