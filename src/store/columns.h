/* The bytes of a chunk, sorted into columns of like kind, each compressed by itself.
 *
 * Clock reads are three quarters of the records of a program that asks for the time all day, and each is noise: between the
 * other records they cut the matches that a compressor lives on. So do numbers of four bytes (nanoseconds, mostly) and
 * struct rusage. What is taken out leaves a mark in the column of records, so that splitting loses nothing at all.
 *
 *   COLUMN_RECORDS     the chunk less what the other columns hold. Where a record could begin, an integer from 1 to 127 is
 *                      the number of clock reads that stood there; any other integer is a clock read, left as it was
 *   COLUMN_FIRST_READ  a byte for the first clock read of each such run: it measures what the program did meanwhile
 *   COLUMN_NEXT_READ   a byte for each further one: it measures little but the reading
 *   COLUMN_READ_REST   what did not fit into that byte. 0 to 223: the read itself; 224 to 239: 256 times the excess over 224,
 *                      plus a byte here; 240 to 246: 2 to 8 bytes here, big endian
 *   COLUMN_NUMBERS     the four bytes of each integer with tag 0xce
 *   COLUMN_STRUCTS     the content of each bin 8 of 144 bytes: struct rusage and struct stat */
#ifndef DRD_STORE_COLUMNS_H
#define DRD_STORE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct buffer;

#define COLUMNS_SLACK 16

enum column {
    COLUMN_RECORDS,
    COLUMN_FIRST_READ,
    COLUMN_NEXT_READ,
    COLUMN_READ_REST,
    COLUMN_NUMBERS,
    COLUMN_STRUCTS,
    COLUMN_COUNT,
};

/* Sort the msgpack objects from `p` to `end` into COLUMN_COUNT buffers, replacing what is in them. */
bool columns_split(struct buffer *column, const uint8_t *p, const uint8_t *end, struct drd_error *e);

/* The reverse: the `length` bytes that were split. `out` has room for COLUMNS_SLACK more. False if these columns cannot have
 * come from that many bytes; any input is safe, and takes no more time than as many bytes are worth. */
bool columns_join(const struct buffer *column, uint8_t *out, size_t length);

#endif
