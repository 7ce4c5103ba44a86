/* Stacks that have been read, in the run: table `frame`, docs/trace-format.md. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replay/stack.h"

#define TABLE "CREATE TABLE IF NOT EXISTS frame(process INTEGER NOT NULL, sequence INTEGER NOT NULL, depth INTEGER NOT NULL," \
    " function TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, object TEXT NOT NULL, offset INTEGER NOT NULL," \
    " build_id TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY(process, sequence, depth)) WITHOUT ROWID"

/* NULL if it cannot be prepared: where no stack was ever kept there is no such table. */
static sqlite3_stmt *prepare(struct stack *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(store_database(s->store), sql, -1, &st, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(st, 1, s->number);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)s->sequence);
    return st;
}

static bool execute(struct stack *s, const char *sql)
{
    return sqlite3_exec(store_database(s->store), sql, NULL, NULL, NULL) == SQLITE_OK;
}

static int64_t number(struct stack *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t value = 0;
    if (sqlite3_prepare_v2(store_database(s->store), sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return value;
}

static void column_text(sqlite3_stmt *st, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(st, column);
    snprintf(out, size, "%s", text ? (const char *)text : "");
}

/* Kept before the symbols were installed? */
static bool has_symbols_now(const char *id)
{
    struct build_id build = { 0 };
    char path[4096];
    unsigned byte;
    for (; build.length < BUILD_ID_MAX && sscanf(id + 2 * build.length, "%2x", &byte) == 1; build.length++)
        build.byte[build.length] = (uint8_t)byte;
    return build_id_debug_file(&build, path, sizeof path);
}

static void row_read(struct stack *s, sqlite3_stmt *st)
{
    char id[2 * BUILD_ID_MAX + 1] = "";
    struct stack_frame *f = &s->frame[s->frames++];
    *f = (struct stack_frame){ .frame = { .line = (unsigned)sqlite3_column_int64(st, 2),
                                          .offset = (uint64_t)sqlite3_column_int64(st, 4) } };
    column_text(st, 0, f->frame.function, sizeof f->frame.function);
    column_text(st, 1, f->frame.file, sizeof f->frame.file);
    column_text(st, 3, f->frame.object, sizeof f->frame.object);
    column_text(st, 5, id, sizeof id);
    if (s->frames == 1)
        column_text(st, 6, s->note, sizeof s->note);
    if (!f->frame.line && !s->improvable)
        s->improvable = has_symbols_now(id);
}

bool kept_read(struct stack *s)
{
    /* a view of that name, in a file that somebody made, could compute for ever */
    if (!number(s, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'frame'"))
        return false;
    sqlite3_stmt *st = prepare(s, "SELECT function, file, line, object, offset, build_id, note FROM frame"
                                  " WHERE process = ?1 AND sequence = ?2 ORDER BY depth");
    while (st && s->frames < FRAMES_MAX && sqlite3_step(st) == SQLITE_ROW)
        row_read(s, st);
    sqlite3_finalize(st);
    return s->frames > 0;
}

static bool row_write(struct stack *s, size_t depth)
{
    const struct stack_frame *f = &s->frame[depth];
    char id[2 * BUILD_ID_MAX + 1] = "";
    if (f->object && f->object->id.length)
        build_id_text(&f->object->id, id, sizeof id);
    sqlite3_stmt *st = prepare(s, "INSERT INTO frame VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    if (!st)
        return false;
    sqlite3_bind_int64(st, 3, (sqlite3_int64)depth);
    sqlite3_bind_text(st, 4, f->frame.function, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 5, f->frame.file, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, f->frame.line);
    sqlite3_bind_text(st, 7, f->frame.object, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 8, (sqlite3_int64)f->frame.offset);
    sqlite3_bind_text(st, 9, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 10, depth ? "" : s->note, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    return ok;
}

static bool rows_write(struct stack *s)
{
    if (!execute(s, TABLE))
        return false;
    sqlite3_stmt *st = prepare(s, "DELETE FROM frame WHERE process = ?1 AND sequence = ?2");
    bool ok = st && sqlite3_step(st) == SQLITE_DONE;
    sqlite3_finalize(st);
    for (size_t i = 0; ok && i < s->frames; i++)
        ok = row_write(s, i);
    return ok;
}

bool replay_frames_copy(struct store *s, struct drd_error *e)
{
    sqlite3 *db = store_database(s);
    bool ok = sqlite3_table_column_metadata(db, "source", "frame", NULL, NULL, NULL, NULL, NULL, NULL) != SQLITE_OK ||
              sqlite3_exec(db, TABLE "; INSERT INTO main.frame SELECT * FROM source.frame ORDER BY 1, 2, 3", NULL, NULL, NULL) == SQLITE_OK;
    return ok || error_set(e, DRD_EXIT_FATAL, "%s: %s", store_path(s), sqlite3_errmsg(db));
}

/* A run is opened for reading by setting query_only, where its file can be written: that is lifted for so long. A file that
 * cannot be written, or is in use, stays as it is; the stack can be read again. */
void kept_write(struct stack *s)
{
    if (sqlite3_db_readonly(store_database(s->store), "main"))
        return;
    bool reading = number(s, "PRAGMA query_only") != 0;
    if (reading)
        execute(s, "PRAGMA query_only=0");
    if (execute(s, "SAVEPOINT frame")) {
        if (!rows_write(s))
            execute(s, "ROLLBACK TO frame");
        if (!execute(s, "RELEASE frame"))
            execute(s, "ROLLBACK");
    }
    if (reading)
        execute(s, "PRAGMA query_only=1");
}
