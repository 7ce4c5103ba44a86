/* Inputs of the raftkv adapter, for its fuzz target and unit test: what one server said, heard, wrote and read. A file is
 *   byte 0   bytes of connections come in pieces of this size, 0: as they stand
 *   chunks   u8 kind, u32 length, u64 offset (of files), bytes
 * Kinds: 's' sent to, 'r' received from another server; 'q' asked by, 'a' answered to a client; 'v' 'l' 't' 'n' written to vote,
 * log, log.tmp, snapshot.tmp, each write durable at once; 'V' 'L' 'N' read from vote, log, snapshot;
 * 'x' log cut at `offset`, 'm' log.tmp renamed to log. */
#ifndef DRD_TESTS_FUZZ_RAFTKV_INPUT_H
#define DRD_TESTS_FUZZ_RAFTKV_INPUT_H

#include "fuzz/protocol_input.h"

struct raftkv_input {
    struct walk *walk;
    struct way *way[128];
    struct flow_file file[128];
    uint64_t events;
};

static inline const char *raftkv_input_path(uint8_t kind)
{
    switch (kind) {
    case 'v': case 'V': return "/d/vote";
    case 'l': case 'L': return "/d/log";
    case 't': return "/d/log.tmp";
    case 'n': return "/d/snapshot.tmp";
    case 'N': return "/d/snapshot";
    default: return NULL;
    }
}

static inline void raftkv_input_wire(struct raftkv_input *in, uint8_t kind, size_t piece, const uint8_t *data, size_t size)
{
    if (!in->way[kind])
        in->way[kind] = walk_test_way(in->walk, kind == 's' || kind == 'a' ? FLOW_SENT : FLOW_RECEIVED);
    while (in->way[kind] && size) {
        size_t n = piece && piece < size ? piece : size;
        struct flow_at at = {.process = 1, .sequence = in->events++};
        walk_way_bytes(in->walk, in->way[kind], data, n, &at);
        data += n;
        size -= n;
    }
}

static inline void raftkv_input_file(struct raftkv_input *in, uint8_t kind, uint64_t offset, const uint8_t *data, size_t size)
{
    struct flow_file *file = &in->file[kind];
    file->path = (char *)(uintptr_t)raftkv_input_path(kind);
    file->references = 1;
    protocol_input_write(in->walk, file, kind < 'a', offset, data, size);
}

/* Without a flow a file keeps its name: what is written to log.tmp after it was renamed begins a new one. */
static inline void raftkv_input_name(struct raftkv_input *in, uint8_t kind, uint64_t offset)
{
    struct flow_at at = {.process = 1, .sequence = in->events++};
    if (kind == 'x')
        walk_test_resized(in->walk, "/d/log", offset, &at);
    else
        walk_test_renamed(in->walk, "/d/log.tmp", "/d/log", &at);
}

static inline void raftkv_input_feed(struct walk *w, const uint8_t *data, size_t size)
{
    static struct raftkv_input in;
    size_t piece = size ? data[0] : 0;
    memset(&in, 0, sizeof in);
    in.walk = w;
    for (size_t i = 1; i + 13 <= size;) {
        uint8_t kind = data[i];
        uint32_t length;
        uint64_t offset;
        memcpy(&length, data + i + 1, sizeof length);
        memcpy(&offset, data + i + 5, sizeof offset);
        i += 13;
        length = length < size - i ? length : (uint32_t)(size - i);
        if (kind == 's' || kind == 'r' || kind == 'q' || kind == 'a')
            raftkv_input_wire(&in, kind, piece, data + i, length);
        else if (kind == 'x' || kind == 'm')
            raftkv_input_name(&in, kind, offset);
        else if (kind < 128 && raftkv_input_path(kind))
            raftkv_input_file(&in, kind, offset, data + i, length);
        i += length;
    }
    for (int i = 0; i < 128; i++) {
        walk_test_way_free(in.way[i]);
        if (in.file[i].path)
            walk_test_file_free(w, &in.file[i]);
    }
}

#endif
