/* run_search RUN.drd WORD...: which of the words are in the file of a run: in its bytes, in any value of any table, and in what any
 * zstd frame in there expands to. Prints them; 1 if there was one, 0 if none, 2 if it could not look everywhere. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "store/page.h"
#include "store/store.h"

static char **words;
static int count;
static bool *found;
static uint64_t looked; /* bytes expanded */

static void look(const void *data, size_t length)
{
    for (int i = 0; i < count; i++)
        found[i] |= length && memmem(data, length, words[i], strlen(words[i])) != NULL;
}

/* A value may be one frame after another. */
static void look_into(const uint8_t *data, size_t length)
{
    look(data, length);
    while (length > 4 && !memcmp(data, "\x28\xb5\x2f\xfd", 4)) {
        size_t frame = ZSTD_findFrameCompressedSize(data, length);
        unsigned long long size = ZSTD_getFrameContentSize(data, length);
        if (ZSTD_isError(frame) || size > 1u << 30)
            exit(2);
        uint8_t *out = malloc(size + 1);
        size_t n = out ? ZSTD_decompress(out, size, data, frame) : 0;
        if (!out || ZSTD_isError(n))
            exit(2);
        look(out, n);
        looked += n;
        free(out);
        data += frame;
        length -= frame;
    }
}

static void look_at_table(sqlite3 *db, const char *name)
{
    char sql[512];
    sqlite3_stmt *st;
    snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"", name);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        exit(2);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(st); i++)
            look_into(sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i));
    sqlite3_finalize(st);
    if (rc != SQLITE_DONE)
        exit(2);
}

static void look_at_tables(const char *path)
{
    sqlite3_stmt *st;
    struct drd_error e;
    struct store *s = store_open(path, STORE_READ, &e);
    if (!s || sqlite3_prepare_v2(store_database(s), "SELECT name FROM sqlite_schema WHERE type = 'table'", -1, &st, NULL) != SQLITE_OK)
        exit(2);
    while (sqlite3_step(st) == SQLITE_ROW)
        look_at_table(store_database(s), (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    store_close(s);
}

static void look_at_bytes(const char *path)
{
    FILE *f = fopen(path, "rb");
    long length = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;
    uint8_t *all = length > 0 ? malloc((size_t)length) : NULL;
    if (!all || fseek(f, 0, SEEK_SET) || fread(all, 1, (size_t)length, f) != (size_t)length)
        exit(2);
    look(all, (size_t)length);
    free(all);
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    words = argv + 2;
    count = argc - 2;
    found = calloc((size_t)count, sizeof *found);
    if (!found)
        return 2;
    look_at_bytes(argv[1]);
    look_at_tables(argv[1]);
    int any = 0;
    for (int i = 0; i < count; i++)
        if (found[i] && (any = 1))
            puts(words[i]);
    free(found);
    return looked ? any : 2; /* a run without a compressed piece was not looked into */
}
