#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/page.h"

/* docs/trace-format.md explains every column. */
static const char schema[] =
    "CREATE TABLE fact(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE process(number INTEGER PRIMARY KEY, parent INTEGER NOT NULL, forked INTEGER NOT NULL,"
    " same_pid INTEGER NOT NULL, pid INTEGER NOT NULL, node TEXT NOT NULL, incarnation INTEGER NOT NULL,"
    " event_base INTEGER NOT NULL, exe TEXT NOT NULL, start_time INTEGER NOT NULL, end_time INTEGER NOT NULL,"
    " status INTEGER NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL, complete INTEGER NOT NULL,"
    " incomplete_reason TEXT, draft INTEGER NOT NULL);"
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, process INTEGER NOT NULL, first INTEGER NOT NULL,"
    " records INTEGER NOT NULL, clock INTEGER NOT NULL, stamp INTEGER NOT NULL, time INTEGER NOT NULL,"
    " thread INTEGER NOT NULL, raw INTEGER NOT NULL, length INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " data BLOB NOT NULL, UNIQUE(process, first));"
    "CREATE TABLE payload(key BLOB PRIMARY KEY, length INTEGER NOT NULL, data BLOB NOT NULL);";

#define CHUNK_COLUMNS "process, first, records, clock, stamp, time, thread, raw, length, checksum, data"

static const char *const sql[ST_COUNT] = {
    [ST_FACT_SET] = "INSERT OR REPLACE INTO fact(key, value) VALUES(?1, ?2)",
    [ST_FACT_GET] = "SELECT value FROM fact WHERE key = ?1 ORDER BY key",
    [ST_PROCESS_PUT] = "INSERT OR REPLACE INTO process VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
    [ST_PROCESS_ALL] = "SELECT number, parent, forked, same_pid, pid, node, incarnation, event_base, exe, start_time,"
                       " end_time, status, events, bytes, complete, incomplete_reason, draft FROM process ORDER BY number",
    [ST_CHUNK_PUT] = "INSERT INTO chunk(" CHUNK_COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [ST_CHUNK_FROM] = "SELECT " CHUNK_COLUMNS " FROM chunk WHERE process = ?1 AND first >= ?2 ORDER BY first LIMIT 1",
    [ST_CHUNK_BEFORE] = "SELECT " CHUNK_COLUMNS " FROM chunk WHERE process = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
    [ST_PAYLOAD_HAS] = "SELECT 1 FROM payload WHERE key = ?1 ORDER BY key",
    [ST_PAYLOAD_PUT] = "INSERT INTO payload(key, length, data) VALUES(?1, ?2, ?3)",
    [ST_PAYLOAD_GET] = "SELECT key, length, data FROM payload WHERE key = ?1 ORDER BY key",
    [ST_PAYLOAD_ALL] = "SELECT key, length, data FROM payload ORDER BY rowid",
};

/* The part of SQLite's file header that says whose file it is. Source: https://www.sqlite.org/fileformat2.html */
enum { HEADER_SIZE = 100, HEADER_USER_VERSION = 60, HEADER_APPLICATION = 68 };

/* user_version holds both numbers, so that a reader can refuse a file before it knows any table. */
#define USER_VERSION (STORE_MIN_READER_VERSION << 16 | STORE_FORMAT_VERSION)

/* ---- statements ---- */

bool store_failed(struct store *s, struct drd_error *e)
{
    int rc = sqlite3_extended_errcode(s->db);
    if (rc == SQLITE_IOERR_DATA || (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged (a page does not fit its checksum); drd fsck says more", s->path);
    if ((rc & 0xff) == SQLITE_FULL)
        return error_set(e, DRD_EXIT_FATAL, "%s: no space left on its file system", s->path);
    if ((rc & 0xff) == SQLITE_BUSY)
        return error_set(e, DRD_EXIT_FATAL, "%s: in use by another process", s->path);
    return error_set(e, DRD_EXIT_FATAL, "%s: %s", s->path, sqlite3_errmsg(s->db));
}

bool store_execute(struct store *s, const char *text, struct drd_error *e)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK || store_failed(s, e);
}

sqlite3_stmt *store_statement(struct store *s, enum statement which, struct drd_error *e)
{
    sqlite3_stmt **slot = &s->statement[which];
    if (!*slot && sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
        return store_failed(s, e), NULL;
    return *slot;
}

bool store_run(struct store *s, sqlite3_stmt *statement, struct drd_error *e)
{
    bool ok = sqlite3_step(statement) == SQLITE_DONE || store_failed(s, e);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}

/* ---- open and close ---- */

static struct store *store_allocate(const char *path, struct drd_error *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return error_set(e, DRD_EXIT_FATAL, "out of memory"), NULL;
    }
    s->lock_fd = -1;
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (int i = 0; i < ST_COUNT; i++)
        sqlite3_finalize(s->statement[i]);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    ZSTD_freeCCtx(s->compressor);
    ZSTD_freeDCtx(s->decompressor);
    free(s->plain.data);
    free(s->packed.data);
    for (int i = 0; i < COLUMN_COUNT; i++)
        free(s->column[i].data);
    free(s->path);
    free(s);
}

static uint32_t header_number(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Say what a file is by its first page, before SQLite gets to see it. */
static bool header_check(int fd, const char *path, struct drd_error *e)
{
    uint8_t page[PAGE_SIZE];
    ssize_t n = pread(fd, page, sizeof page, 0);
    if (n < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    if (n < HEADER_SIZE || memcmp(page, "SQLite format 3", 16) ||
        header_number(page + HEADER_APPLICATION) != STORE_APPLICATION_ID)
        return error_set(e, DRD_EXIT_FATAL, "%s: not a DRD run", path);
    if (n < PAGE_SIZE)
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: cut short after %zd bytes", path, n);
    uint32_t version = header_number(page + HEADER_USER_VERSION);
    if (version >> 16 > STORE_FORMAT_VERSION)
        return error_set(e, DRD_EXIT_FATAL, "%s: written by a newer drd (format %u, this one reads up to %d)", path,
                         version & 0xffff, STORE_FORMAT_VERSION);
    return true;
}

static bool store_attach(struct store *s, int flags, struct drd_error *e)
{
    if (!page_register())
        return error_set(e, DRD_EXIT_FATAL, "cannot initialise SQLite");
    if (sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, PAGE_VFS) != SQLITE_OK)
        return store_failed(s, e);
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, 5000);
    /* A hostile schema must not call functions or write to its own tables. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return store_execute(s, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", e);
}

/* Take over a path at which a file exists: only a run that nobody records and that misses nothing. */
static bool replace_existing(const char *path, struct drd_error *e)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        return unlink(path) == 0 || error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    struct store *old = store_open(path, STORE_READ, e);
    if (!old)
        return error_wrap(e, "will not replace");
    char state[32] = "";
    store_fact(old, "state", state, sizeof state);
    store_close(old);
    if (!strcmp(state, "recording"))
        return error_set(e, DRD_EXIT_FATAL, "%s: holds an unfinished recording; `drd fsck --repair %s` finishes it", path, path);
    return unlink(path) == 0 || error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
}

static bool create_file(struct store *s, struct drd_error *e)
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    s->lock_fd = open(s->path, flags, 0600);
    if (s->lock_fd < 0 && errno == EEXIST) {
        if (!replace_existing(s->path, e))
            return false;
        s->lock_fd = open(s->path, flags, 0600);
    }
    if (s->lock_fd < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", s->path);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(e, DRD_EXIT_FATAL, "%s: being recorded by another process", s->path);
    return true;
}

static bool create_tables(struct store *s, struct drd_error *e)
{
    int reserved = PAGE_RESERVED;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    char text[256];
    /* Without synchronous writes a power failure may cost the run, as it does any other trace; kill -9 costs nothing. */
    snprintf(text, sizeof text, "PRAGMA page_size=%d; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN;"
             "PRAGMA application_id=%d; PRAGMA user_version=%d", PAGE_SIZE, STORE_APPLICATION_ID, USER_VERSION);
    return store_execute(s, text, e) && store_execute(s, schema, e) && store_fact_set(s, "state", "recording", e) &&
           store_execute(s, "COMMIT", e);
}

struct store *store_create(const char *path, struct drd_error *e)
{
    struct store *s = store_allocate(path, e);
    if (!s)
        return NULL;
    bool created = create_file(s, e);
    if (created && store_attach(s, SQLITE_OPEN_READWRITE, e) && create_tables(s, e))
        return s;
    if (created)
        unlink(path);
    store_close(s);
    return NULL;
}

static bool open_file(struct store *s, struct drd_error *e)
{
    struct stat st;
    s->lock_fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->lock_fd < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", s->path);
    if (fstat(s->lock_fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(e, DRD_EXIT_FATAL, "%s: not a DRD run", s->path);
    if (flock(s->lock_fd, LOCK_SH | LOCK_NB) < 0)
        return error_set(e, DRD_EXIT_FATAL, "%s: being recorded; it can be read when the recorded command has ended", s->path);
    return header_check(s->lock_fd, s->path, e);
}

struct store *store_open(const char *path, enum store_mode mode, struct drd_error *e)
{
    struct store *s = store_allocate(path, e);
    if (!s)
        return NULL;
    /* Also to read: what a killed recorder left half-written is rolled back first. SQLite falls back to reading alone. */
    bool ok = open_file(s, e) && store_attach(s, SQLITE_OPEN_READWRITE, e);
    if (ok && mode == STORE_READ)
        ok = store_execute(s, "PRAGMA query_only=1", e);
    if (ok && mode == STORE_WRITE && sqlite3_db_readonly(s->db, "main"))
        ok = error_set(e, DRD_EXIT_FATAL, "%s: not writable", path);
    ok = ok && store_execute(s, "PRAGMA synchronous=OFF; SELECT count(*) FROM fact ORDER BY 1", e);
    if (ok)
        return s;
    store_close(s);
    return NULL;
}

struct sqlite3 *store_database(struct store *s)
{
    return s->db;
}

const char *store_path(const struct store *s)
{
    return s->path;
}

bool store_begin(struct store *s, struct drd_error *e)
{
    return store_execute(s, "BEGIN IMMEDIATE", e);
}

bool store_commit(struct store *s, struct drd_error *e)
{
    return store_execute(s, "COMMIT", e);
}

/* ---- facts ---- */

bool store_fact_set(struct store *s, const char *key, const char *value, struct drd_error *e)
{
    sqlite3_stmt *st = store_statement(s, ST_FACT_SET, e);
    if (!st)
        return false;
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
    return store_run(s, st, e);
}

bool store_fact(struct store *s, const char *key, char *out, size_t size)
{
    sqlite3_stmt *st = store_statement(s, ST_FACT_GET, NULL);
    if (!st)
        return false;
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    bool found = sqlite3_step(st) == SQLITE_ROW;
    if (found && size) {
        const char *value = (const char *)sqlite3_column_text(st, 0);
        snprintf(out, size, "%s", value ? value : "");
    }
    sqlite3_reset(st);
    return found;
}

/* ---- processes ---- */

void store_process_fini(struct store_process *p)
{
    if (!p)
        return;
    free(p->node);
    free(p->exe);
    free(p->incomplete_reason);
    memset(p, 0, sizeof *p);
}

bool store_process_put(struct store *s, const struct store_process *p, struct drd_error *e)
{
    sqlite3_stmt *st = store_statement(s, ST_PROCESS_PUT, e);
    if (!st)
        return false;
    const sqlite3_int64 number[] = {p->number, p->parent, p->forked, p->same_pid, p->pid};
    for (int i = 0; i < 5; i++)
        sqlite3_bind_int64(st, 1 + i, number[i]);
    sqlite3_bind_text(st, 6, p->node ? p->node : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 7, p->incarnation);
    sqlite3_bind_int64(st, 8, (sqlite3_int64)p->event_base);
    sqlite3_bind_text(st, 9, p->exe ? p->exe : "", -1, SQLITE_STATIC);
    const sqlite3_int64 count[] = {(sqlite3_int64)p->start, (sqlite3_int64)p->end, p->status, (sqlite3_int64)p->events,
                                   (sqlite3_int64)p->bytes, p->complete};
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(st, 10 + i, count[i]);
    sqlite3_bind_text(st, 16, p->incomplete_reason, -1, SQLITE_STATIC); /* NULL binds NULL */
    sqlite3_bind_int64(st, 17, (sqlite3_int64)p->draft);
    return store_run(s, st, e);
}

static char *column_text(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    return text ? strdup(text) : NULL;
}

static void process_read(sqlite3_stmt *st, struct store_process *p)
{
    *p = (struct store_process){
        .number = (uint32_t)sqlite3_column_int64(st, 0),
        .parent = (uint32_t)sqlite3_column_int64(st, 1),
        .forked = sqlite3_column_int(st, 2),
        .same_pid = sqlite3_column_int(st, 3),
        .pid = sqlite3_column_int(st, 4),
        .node = column_text(st, 5),
        .incarnation = (uint32_t)sqlite3_column_int64(st, 6),
        .event_base = (uint64_t)sqlite3_column_int64(st, 7),
        .exe = column_text(st, 8),
        .start = (uint64_t)sqlite3_column_int64(st, 9),
        .end = (uint64_t)sqlite3_column_int64(st, 10),
        .status = sqlite3_column_int(st, 11),
        .events = (uint64_t)sqlite3_column_int64(st, 12),
        .bytes = (uint64_t)sqlite3_column_int64(st, 13),
        .complete = sqlite3_column_int(st, 14),
        .incomplete_reason = column_text(st, 15),
        .draft = (uint64_t)sqlite3_column_int64(st, 16),
    };
}

/* Room for one more; NULL and nothing changed if there is none. */
static struct store_process *process_grow(struct store_process **list, size_t count)
{
    if (count & (count - 1))
        return *list + count;
    struct store_process *more = realloc(*list, (count ? 2 * count : 1) * sizeof *more);
    return more ? (*list = more) + count : NULL;
}

bool store_processes(struct store *s, struct store_process **out, size_t *count, struct drd_error *e)
{
    struct store_process *list = NULL, *p;
    size_t n = 0;
    sqlite3_stmt *st = store_statement(s, ST_PROCESS_ALL, e);
    if (!st)
        return false;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && (p = process_grow(&list, n))) {
        process_read(st, p);
        n++;
        if (!p->node || !p->exe)
            break;
    }
    bool ok = rc == SQLITE_DONE;
    if (!ok && rc == SQLITE_ROW)
        error_set(e, DRD_EXIT_FATAL, "%s: damaged table of processes, or out of memory", s->path);
    else if (!ok)
        store_failed(s, e);
    sqlite3_reset(st);
    if (ok) {
        *out = list;
        *count = n;
        return true;
    }
    while (n)
        store_process_fini(&list[--n]);
    free(list);
    return false;
}
