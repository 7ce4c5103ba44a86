/* Rows by the million in few bytes: a table of integers as compressed blocks, read back as a table of SQL.
 *
 * Messages, durable writes and marks come with every command of a client, timers all the time. As rows of SQLite they would take more room
 * than the streams they are derived from. So they are kept in table row_block: ROWS_PER_BLOCK rows, column by column, each
 * value as its distance from the one before it of the same group (way or process), zstd over all. A virtual table per kind
 * shows them; the views `message`, `durable_write`, `mark` and `timer` (index.c) are built on those. */
#ifndef DRD_PROTOCOL_ROWS_H
#define DRD_PROTOCOL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#define ROWS_PER_BLOCK 4096
#define ROWS_COLUMNS 6

enum rows_kind { ROWS_MESSAGE, ROWS_DURABLE_WRITE, ROWS_MARK, ROWS_TIMER, ROWS_KINDS };

struct row {
    int64_t value[ROWS_COLUMNS];
    uint8_t null; /* bit per column */
};

/* Table row_block(id, kind, rows): what the tables below stand on. */
#define ROWS_SCHEMA "CREATE TABLE row_block(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, rows BLOB NOT NULL);"

struct rows_writer;
struct rows_writer *rows_writer_create(sqlite3 *db, enum rows_kind kind); /* NULL: out of memory, or sqlite3_errmsg(db) */
bool rows_writer_add(struct rows_writer *w, const struct row *row);
bool rows_writer_flush(struct rows_writer *w);
void rows_writer_destroy(struct rows_writer *w); /* without flushing */

/* Make message_rows(way, sent, received, length, name), durable_write_rows(process, sequence, path, offset, length, synced)
 * mark_rows(process, sequence, kind, a, b, c) and timer_rows(process, sequence, deadline, name, expired) known to this
 * connection. */
bool rows_register(sqlite3 *db);

/* --- between rows.c and rows_table.c --- */

/* Decode a block into rows[ROWS_PER_BLOCK]; returns how many, -1: damaged. */
int rows_decode(enum rows_kind kind, const uint8_t *bytes, size_t length, struct row *rows);
int rows_columns(enum rows_kind kind);

#endif
