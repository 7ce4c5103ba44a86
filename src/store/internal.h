/* What the files of src/store/ share. */
#ifndef DRD_STORE_INTERNAL_H
#define DRD_STORE_INTERNAL_H

#include <sqlite3.h>
#include <zstd.h>

#include "store/columns.h"
#include "store/store.h"

/* Limits that a damaged or hostile file cannot exceed: what it makes us allocate. */
#define CHUNK_MAX (16u << 20)   /* bytes of a chunk, payloads moved out */
#define PAYLOAD_MAX (1u << 30)  /* bytes of a payload: SQLite's limit for a value */
#define PAYLOAD_REF 24          /* bytes of an ext TRACE_EXT_PAYLOAD: key and length */

/* The prepared statements. Their SQL stands in store.c. */
enum statement {
    ST_FACT_SET,
    ST_FACT_GET,
    ST_PROCESS_PUT,
    ST_PROCESS_ALL,
    ST_CHUNK_PUT,
    ST_CHUNK_FROM,
    ST_CHUNK_BEFORE,
    ST_PAYLOAD_HAS,
    ST_PAYLOAD_PUT,
    ST_PAYLOAD_GET,
    ST_PAYLOAD_ALL,
    ST_COUNT,
};

struct buffer {
    uint8_t *data;
    size_t length, capacity;
};
bool buffer_reserve(struct buffer *b, size_t capacity, struct drd_error *e);
bool buffer_append(struct buffer *b, const void *data, size_t length, struct drd_error *e);

struct store {
    sqlite3 *db;
    char *path;
    int lock_fd; /* holds the flock(2); closed after the database, for a close drops SQLite's own locks on the file */
    sqlite3_stmt *statement[ST_COUNT];
    ZSTD_CCtx *compressor;     /* reused: setting one up costs more than a small chunk */
    ZSTD_DCtx *decompressor;
    struct buffer plain, packed; /* chunk being written: payloads moved out; compressed */
    struct buffer column[COLUMN_COUNT]; /* of the chunk being written or read */
};

/* The statement, ready for binding; NULL on failure. Callers reset it when done. */
sqlite3_stmt *store_statement(struct store *s, enum statement which, struct drd_error *e);
/* Run one that returns no rows, and reset it. */
bool store_run(struct store *s, sqlite3_stmt *statement, struct drd_error *e);
/* Turn the database's last error into words. Returns false. */
bool store_failed(struct store *s, struct drd_error *e);
bool store_execute(struct store *s, const char *sql, struct drd_error *e);

/* One row of table chunk, as stored. */
struct chunk_row {
    uint32_t process;
    uint64_t records, raw, length; /* raw: bytes of stream; length: without the payloads */
    struct trace_state state;      /* before the first record; state.sequence is its number */
    const uint8_t *data;
    size_t size;
};
uint64_t chunk_checksum(const struct chunk_row *row);

/* The piece of a process's stream that begins at a sequence number or later (`before`: or earlier), checked and expanded
 * into `out`, columns put together. 1: found, 0: there is none, -1: error. */
int chunk_load(struct store *s, uint32_t process, uint64_t sequence, bool before, struct chunk_row *row,
               struct buffer *out, struct drd_error *e);

/* Append the payload that a reference (PAYLOAD_REF bytes) stands for to `out`, content checked. */
bool payload_append(struct store *s, const uint8_t *reference, struct buffer *out, struct drd_error *e);
/* Append a reference in place of these bytes, keeping them in table payload. */
bool payload_replace(struct store *s, const uint8_t *data, size_t length, struct buffer *out, struct drd_error *e);
/* Check the row of ST_PAYLOAD_ALL or ST_PAYLOAD_GET that a statement stands on; content goes to `out`, after what is there. */
bool payload_read(struct store *s, sqlite3_stmt *row, struct buffer *out, struct drd_error *e);

#endif
