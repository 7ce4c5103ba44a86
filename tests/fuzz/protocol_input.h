/* Inputs of the protocol adapters, for fuzz targets and unit tests. A file of the corpus is
 *   byte 0   what it is: 's' 'r' bytes sent or received on a connection, 'f' writes to a log file one after another,
 *            'o' 'c' 'm' 'n' writes {u64 offset, u32 length, data} to open-1, a new closed segment, metadata1, a snapshot's .meta
 *            'F' 'O' 'C' 'M' 'N' the same, but read
 *   byte 1   the bytes come in pieces of this size, 0: all at once
 *   the rest the bytes, as a real cluster sent or wrote them */
#ifndef DRD_TESTS_FUZZ_PROTOCOL_INPUT_H
#define DRD_TESTS_FUZZ_PROTOCOL_INPUT_H

#include <stdlib.h>
#include <string.h>

#include "protocol/walk.h"

static const char *protocol_input_path(uint8_t kind)
{
    switch (kind) {
    case 'o': return "/d/open-1";
    case 'c': return "/d/tmp-0000000000000001-0000000000000001";
    case 'm': return "/d/metadata1";
    case 'n': return "/d/tmp-snapshot-2-201-1664526.meta";
    case 'O': return "/d/open-1";
    case 'C': return "/d/0000000000000001-0000000000000001";
    case 'M': return "/d/metadata1";
    case 'N': return "/d/snapshot-2-201-1664526.meta";
    default: return "/d/s1.db";
    }
}

static inline void protocol_input_wire(struct walk *w, enum flow_way direction, size_t piece, const uint8_t *data, size_t size)
{
    struct way *way = walk_test_way(w, direction);
    struct flow_at at = {.process = 1};
    while (way && size) {
        size_t n = piece && piece < size ? piece : size;
        at.sequence++;
        walk_way_bytes(w, way, data, n, &at);
        data += n;
        size -= n;
    }
    walk_test_way_free(way);
}

static inline void protocol_input_read(struct walk *w, struct flow_file *file, uint64_t offset, const uint8_t *data, size_t size)
{
    struct flow_read read = {.file = file, .offset = offset, .data = data, .length = size, .opened = 1, .at = {.process = 1}};
    walk_file_read(w, &read);
}

/* One write, made durable by itself; or one read. */
static inline void protocol_input_write(struct walk *w, struct flow_file *file, bool reads, uint64_t offset, const uint8_t *data,
                                        size_t size)
{
    if (reads) {
        protocol_input_read(w, file, offset, data, size);
        return;
    }
    struct flow_at at = {.process = 1, .sequence = ++file->writes};
    struct flow_write write = {.file = file, .offset = offset, .data = data, .length = size, .number = file->writes, .begun = at,
                               .done = at, .durable = true};
    walk_file_write(w, &write);
}

static inline void protocol_input_log(struct walk *w, struct flow_file *file, bool reads, size_t piece, const uint8_t *data,
                                      size_t size)
{
    for (size_t offset = 0, n; offset < size; offset += n) {
        n = piece && offset && piece < size - offset ? piece : offset || !piece ? size - offset : size < 64 ? size : 64;
        protocol_input_write(w, file, reads, offset, data + offset, n);
    }
}

static inline void protocol_input_writes(struct walk *w, struct flow_file *file, bool reads, const uint8_t *data, size_t size)
{
    while (size > 12) {
        uint64_t offset;
        uint32_t length;
        memcpy(&offset, data, sizeof offset);
        memcpy(&length, data + 8, sizeof length);
        data += 12;
        size -= 12;
        length = length < size ? length : (uint32_t)size;
        protocol_input_write(w, file, reads, offset, data, length);
        data += length;
        size -= length;
    }
}

/* Everything a corpus file says, into a walk. */
static inline void protocol_input_feed(struct walk *w, const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    uint8_t kind = data[0], piece = data[1];
    struct flow_file file = {.path = (char *)protocol_input_path(kind), .references = 1};
    if (kind == 's' || kind == 'r')
        protocol_input_wire(w, kind == 's' ? FLOW_SENT : FLOW_RECEIVED, piece, data + 2, size - 2);
    else if (kind == 'f' || kind == 'F')
        protocol_input_log(w, &file, kind == 'F', piece, data + 2, size - 2);
    else
        protocol_input_writes(w, &file, kind >= 'A' && kind <= 'Z', data + 2, size - 2);
    walk_test_file_free(w, &file);
}

static inline void protocol_input_fact(void *context, const struct raft_fact *fact)
{
    uint64_t *sum = context; /* look at all of it, so that a sanitizer sees what is not initialised */
    for (size_t i = 0; fact->message && i < fact->message->entries; i++)
        *sum += fact->message->entry[i].digest + strlen(fact->message->entry[i].text) +
                (fact->message->entry[i].members ? strlen(fact->message->entry[i].members) : 0);
    *sum += strlen(fact->peer) + strlen(fact->entry.text) + (fact->text ? strlen(fact->text) : 0) +
            (fact->entry.members ? strlen(fact->entry.members) : 0);
}

static inline int protocol_input_run(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    struct walk_listener listener = {.context = &sum, .fact = protocol_input_fact};
    struct walk *w = walk_create(&listener);
    if (w)
        protocol_input_feed(w, data, size);
    walk_destroy(w);
    return 0;
}

#endif
