/* Rows in blocks: what goes in comes out, and damaged blocks are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "protocol/rows.h"

static sqlite3 *database(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, ROWS_SCHEMA, NULL, NULL, NULL), SQLITE_OK);
    assert_true(rows_register(db));
    return db;
}

static uint64_t next_random(uint64_t *seed)
{
    return *seed = *seed * 6364136223846793005u + 1442695040888963407u;
}

static struct row random_row(uint64_t *seed, int i)
{
    static const int64_t special[] = {0, -1, INT64_MAX, INT64_MIN, 1000000, 126, 127, 128};
    struct row row = {.null = (uint8_t)(next_random(seed) >> 60 == 0 ? 1 << (next_random(seed) >> 61) & 0x3e : 0)};
    for (int column = 0; column < ROWS_COLUMNS; column++)
        row.value[column] = next_random(seed) >> 59 ? i + column : special[next_random(seed) >> 61];
    row.value[5] = (int64_t)next_random(seed);
    return row;
}

static void round_trip(void **state)
{
    const int count = 2 * ROWS_PER_BLOCK + 100;
    sqlite3 *db = database();
    sqlite3_stmt *s;
    uint64_t seed = 1;
    int i = 0;
    (void)state;
    struct rows_writer *w = rows_writer_create(db, ROWS_MARK);
    for (int n = 0; n < count; n++) {
        struct row row = random_row(&seed, n);
        assert_true(rows_writer_add(w, &row));
    }
    assert_true(rows_writer_flush(w));
    rows_writer_destroy(w);
    seed = 1;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT * FROM mark_rows", -1, &s, NULL), SQLITE_OK);
    for (; sqlite3_step(s) == SQLITE_ROW; i++) {
        struct row row = random_row(&seed, i);
        for (int column = 0; column < ROWS_COLUMNS; column++) {
            bool null = row.null >> column & 1;
            assert_int_equal(sqlite3_column_type(s, column) == SQLITE_NULL, null);
            assert_true(null || sqlite3_column_int64(s, column) == row.value[column]);
        }
    }
    assert_int_equal(i, count);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void kinds_are_apart(void **state)
{
    sqlite3 *db = database();
    sqlite3_stmt *s;
    struct row row = {.value = {2, 3, 4, 5, 6}, .null = 1 << 2};
    (void)state;
    struct rows_writer *w = rows_writer_create(db, ROWS_MESSAGE);
    assert_true(rows_writer_add(w, &row));
    assert_true(rows_writer_flush(w));
    assert_true(rows_writer_flush(w)); /* nothing more: no empty block */
    rows_writer_destroy(w);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM mark_rows), (SELECT count(*) FROM row_block), way, sent,"
                                            " received, length, name FROM message_rows", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    static const int expected[] = {0, 1, 2, 3, 0, 5, 6};
    for (int i = 0; i < 7; i++)
        assert_int_equal(sqlite3_column_int(s, i), expected[i]);
    assert_int_equal(sqlite3_column_type(s, 4), SQLITE_NULL);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* Any bytes, properly compressed or not, give rows or -1, and stay in bounds. */
static void damaged_blocks(void **state)
{
    struct row *rows = malloc(ROWS_PER_BLOCK * sizeof *rows);
    uint8_t plain[600], packed[1200];
    uint64_t seed = 7;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t size = next_random(&seed) % sizeof plain;
        for (size_t i = 0; i < size; i++)
            plain[i] = (uint8_t)(next_random(&seed) >> 56);
        if (size >= 4)
            memcpy(plain, &(uint32_t){(uint32_t)(next_random(&seed) % 200)}, 4);
        size_t n = ZSTD_compress(packed, sizeof packed, plain, size, 1);
        assert_true(rows_decode(ROWS_MARK, packed, n, rows) <= ROWS_PER_BLOCK);
        assert_int_equal(rows_decode(ROWS_MESSAGE, plain, size, rows), -1);
    }
    memset(plain, 0xff, sizeof plain);
    size_t n = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 1);
    assert_int_equal(rows_decode(ROWS_MARK, packed, n, rows), -1); /* more rows than a block can have */
    free(rows);
}

static void damaged_block_in_a_query(void **state)
{
    sqlite3 *db = database();
    sqlite3_stmt *s;
    (void)state;
    assert_int_equal(sqlite3_exec(db, "INSERT INTO row_block(kind, rows) VALUES(0, x'00'), (1, x'')", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        const char *query = i ? "SELECT * FROM durable_write_rows" : "SELECT * FROM message_rows";
        assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(s), SQLITE_CORRUPT);
        sqlite3_finalize(s);
    }
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(kinds_are_apart), cmocka_unit_test(damaged_blocks),
        cmocka_unit_test(damaged_block_in_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
