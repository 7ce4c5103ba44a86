/* The blocks of rows.c as virtual tables of SQLite, read from end to end. https://sqlite.org/vtab.html */
#include "protocol/rows.h"

#include <string.h>

static const struct {
    const char *name, *columns;
} tables[ROWS_KINDS] = {
    [ROWS_MESSAGE] = {"message_rows", "CREATE TABLE x(way INTEGER, sent INTEGER, received INTEGER, length INTEGER, name INTEGER)"},
    [ROWS_DURABLE_WRITE] = {"durable_write_rows", "CREATE TABLE x(process INTEGER, sequence INTEGER, path INTEGER, offset INTEGER,"
                                                  " length INTEGER, synced INTEGER)"},
    [ROWS_TIMER] = {"timer_rows", "CREATE TABLE x(process INTEGER, sequence INTEGER, deadline INTEGER, name INTEGER, expired INTEGER)"},
    [ROWS_MARK] = {"mark_rows", "CREATE TABLE x(process INTEGER, sequence INTEGER, kind INTEGER, a INTEGER, b INTEGER, c INTEGER)"},
};

struct table {
    sqlite3_vtab base;
    sqlite3 *db;
    enum rows_kind kind;
};

struct cursor {
    sqlite3_vtab_cursor base;
    sqlite3_stmt *blocks;
    int64_t block; /* id of the block at hand */
    int count, at; /* rows in it, and the current one; at the end count is 0 */
    struct row row[ROWS_PER_BLOCK];
};

static int table_connect(sqlite3 *db, void *kind, int argc, const char *const *argv, sqlite3_vtab **out, char **error)
{
    (void)argc, (void)argv, (void)error;
    struct table *t = sqlite3_malloc(sizeof *t);
    if (!t)
        return SQLITE_NOMEM;
    *t = (struct table){.db = db, .kind = (enum rows_kind)(uintptr_t)kind};
    *out = &t->base;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS); /* views may use it when the schema of the file is not trusted */
    return sqlite3_declare_vtab(db, tables[t->kind].columns);
}

static int table_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    info->estimatedCost = 1e6;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    struct cursor *c = sqlite3_malloc(sizeof *c);
    (void)base;
    if (!c)
        return SQLITE_NOMEM;
    memset(c, 0, offsetof(struct cursor, row));
    *out = &c->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    sqlite3_finalize(((struct cursor *)base)->blocks);
    sqlite3_free(base);
    return SQLITE_OK;
}

static int cursor_load(struct cursor *c)
{
    struct table *t = (struct table *)c->base.pVtab;
    c->at = c->count = 0;
    while (!c->count) {
        int code = sqlite3_step(c->blocks);
        if (code != SQLITE_ROW)
            return code == SQLITE_DONE ? SQLITE_OK : code;
        c->block = sqlite3_column_int64(c->blocks, 0);
        const void *bytes = sqlite3_column_blob(c->blocks, 1);
        c->count = rows_decode(t->kind, bytes, (size_t)sqlite3_column_bytes(c->blocks, 1), c->row);
        if (c->count < 0) {
            c->count = 0;
            return SQLITE_CORRUPT;
        }
    }
    return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int index, const char *name, int argc, sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)base;
    struct table *t = (struct table *)base->pVtab;
    (void)index, (void)name, (void)argc, (void)argv;
    sqlite3_finalize(c->blocks);
    c->blocks = NULL;
    int code = sqlite3_prepare_v2(t->db, "SELECT id, rows FROM row_block WHERE kind = ? ORDER BY id", -1, &c->blocks, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int(c->blocks, 1, t->kind);
    return cursor_load(c);
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    return ++c->at < c->count ? SQLITE_OK : cursor_load(c);
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
    return !((struct cursor *)base)->count;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *result, int column)
{
    const struct cursor *c = (struct cursor *)base;
    const struct row *row = &c->row[c->at];
    if (row->null >> column & 1)
        sqlite3_result_null(result);
    else
        sqlite3_result_int64(result, row->value[column]);
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    const struct cursor *c = (struct cursor *)base;
    *id = c->block * ROWS_PER_BLOCK + c->at;
    return SQLITE_OK;
}

/* No xCreate: the tables are there wherever the module is, and leave nothing in the schema. */
static const sqlite3_module module = {
    .xConnect = table_connect, .xBestIndex = table_best_index, .xDisconnect = table_disconnect, .xOpen = cursor_open,
    .xClose = cursor_close, .xFilter = cursor_filter, .xNext = cursor_next, .xEof = cursor_eof, .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

bool rows_register(sqlite3 *db)
{
    for (uintptr_t kind = 0; kind < ROWS_KINDS; kind++)
        if (sqlite3_create_module(db, tables[kind].name, &module, (void *)kind) != SQLITE_OK)
            return false;
    return true;
}
