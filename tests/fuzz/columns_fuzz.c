/* Any bytes as the columns of a chunk, and any bytes as a chunk to be split, which must come back as they were. */
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Buffers of their exact size, so that a sanitizer sees one byte too many. */
static void join(const uint8_t *data, size_t size)
{
    struct buffer column[COLUMN_COUNT];
    size_t length = (size_t)data[0] << 8 | data[1], head = 2 + COLUMN_COUNT;
    const uint8_t *p = data + head, *end = data + size;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        size_t left = (size_t)(end - p), n = data[2 + i] < left ? data[2 + i] : left;
        column[i].length = n;
        column[i].data = malloc(n + !n);
        memcpy(column[i].data, p, n);
        p += n;
    }
    uint8_t *out = malloc(length + COLUMNS_SLACK);
    columns_join(column, out, length);
    free(out);
    for (int i = 0; i < COLUMN_COUNT; i++)
        free(column[i].data);
}

static void split(const uint8_t *data, size_t size)
{
    struct buffer column[COLUMN_COUNT] = {{NULL, 0, 0}};
    struct drd_error e;
    uint8_t *back = malloc(size + COLUMNS_SLACK);
    if (columns_split(column, data, data + size, &e) && (!columns_join(column, back, size) || memcmp(back, data, size)))
        abort();
    free(back);
    for (int i = 0; i < COLUMN_COUNT; i++)
        free(column[i].data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2 + COLUMN_COUNT)
        join(data, size);
    if (size)
        split(data, size);
    return 0;
}
