/* Make a recording lie: change one byte of what a process received, and make the checksums good, so that nothing but a
 * replay can find it.
 *
 *   falsify RUN NODE TEXT [SKIP]
 *
 * The first byte of TEXT, where the node read it from a file or a connection for the (SKIP+1)th time, is changed by one
 * bit. Prints the event. Exit 1 if TEXT was not received so often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "store/internal.h"

struct search {
    const char *text;
    long skip;
};

static bool is_receiving(int64_t nr)
{
    return nr == SYS_read || nr == SYS_readv || nr == SYS_pread64 || nr == SYS_recvfrom || nr == SYS_recvmsg;
}

/* Where the text stands in the data that one record says was received; NULL if it does not, or is skipped. */
static uint8_t *find_in_record(const uint8_t *p, const uint8_t *end, struct search *search)
{
    struct unpack u;
    p = unpack_next(p, end, &u);
    if (u.type != UNPACK_ARRAY || !u.count)
        return NULL;
    p = unpack_next(p, end, &u);
    if (u.type != UNPACK_INT || !is_receiving(u.value))
        return NULL;
    while (p && p < end) {
        p = unpack_next(p, end, &u);
        uint8_t *found = p && u.type == UNPACK_BIN ? memmem(u.data, u.length, search->text, strlen(search->text)) : NULL;
        if (found && search->skip-- == 0)
            return found;
    }
    return NULL;
}

/* The place in a chunk, and the sequence number of its record. */
static uint8_t *find_in_chunk(struct buffer *chunk, uint64_t *sequence, struct search *search)
{
    const uint8_t *p = chunk->data, *end = p + chunk->length;
    for (; p && p < end; ++*sequence) {
        const uint8_t *next = unpack_skip(p, end);
        uint8_t *found = next ? find_in_record(p, next, search) : NULL;
        if (found)
            return found;
        p = next;
    }
    return NULL;
}

static bool write_back(struct store *s, struct chunk_row *row, const struct buffer *chunk, struct drd_error *e)
{
    size_t room = ZSTD_compressBound(chunk->length);
    uint8_t *packed = malloc(room);
    row->size = ZSTD_compress(packed, room, chunk->data, chunk->length, 3);
    row->data = packed;
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v2(s->db, "UPDATE chunk SET data = ?1, checksum = ?2 WHERE process = ?3 AND first = ?4", -1, &st, NULL);
    sqlite3_bind_blob64(st, 1, packed, row->size, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)chunk_checksum(row));
    sqlite3_bind_int64(st, 3, row->process);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)row->state.sequence);
    bool ok = st && store_run(s, st, e);
    sqlite3_finalize(st);
    free(packed);
    return ok;
}

/* 1: changed, 0: not found, -1: error. */
static int falsify_process(struct store *s, const struct store_process *p, struct search *search, struct drd_error *e)
{
    struct chunk_row row;
    struct buffer chunk = { 0 };
    uint64_t first = 0;
    int found;
    uint8_t *at = NULL;
    while (!at && (found = chunk_load(s, p->number, first, false, &row, &chunk, e)) == 1) {
        uint64_t sequence = row.state.sequence;
        at = find_in_chunk(&chunk, &sequence, search);
        first = at ? sequence : row.state.sequence + row.records;
    }
    if (at) {
        char name[128];
        *at ^= 1;
        event_name(p, first, name, sizeof name);
        found = write_back(s, &row, &chunk, e) ? 1 : -1;
        puts(name);
    }
    free(chunk.data);
    return found;
}

static int falsify(struct store *s, const char *node, struct search *search, struct drd_error *e)
{
    struct store_process *process;
    size_t count;
    int done = 0;
    if (!store_processes(s, &process, &count, e))
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!done && !strcmp(process[i].node, node))
            done = falsify_process(s, &process[i], search, e);
        store_process_fini(&process[i]);
    }
    free(process);
    return done;
}

int main(int argc, char **argv)
{
    struct drd_error e = { 0 };
    if (argc < 4) {
        fputs("usage: falsify RUN NODE TEXT [SKIP]\n", stderr);
        return 2;
    }
    struct search search = { argv[3], argc > 4 ? atol(argv[4]) : 0 };
    struct store *s = store_open(argv[1], STORE_WRITE, &e);
    int done = s ? falsify(s, argv[2], &search, &e) : -1;
    store_close(s);
    if (done < 0)
        fprintf(stderr, "falsify: %s\n", e.message);
    return done == 1 ? 0 : done < 0 ? 2 : 1;
}
