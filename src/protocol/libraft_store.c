/* The store of libraft: a directory with metadata1, metadata2, segments and snapshots. What is written there, and what the
 * next incarnation reads back. Sources: src/uv_metadata.c, uv_segment.c, uv_list.c, uv_snapshot.c, uv_truncate.c of 0.15. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/libraft.h"
#include "protocol/map.h"

#define DIRECTORIES_MAX 4096
#define SEGMENT_FORMAT 1
#define METADATA_SIZE 32
#define META_HEADER 32 /* of a snapshot's .meta: {u64 format, u64 crc, u64 configuration index, u64 configuration length} */

/* A metadata file that was read: the one with the higher version counts, so both must have been seen. */
struct metadata {
    uint64_t version, term, vote;
    struct flow_at at;
};

/* What a process reads at start, before it writes for the first time. */
struct load {
    uint32_t process;
    struct metadata metadata; /* not told yet if its version is not 0 */
    uint64_t snapshot;        /* last included index: the log begins after it */
    uint64_t last;            /* index of the last entry */
};

struct directory {
    uint64_t last;     /* index of the last entry written */
    bool known;        /* `last` can be relied on */
    uint32_t owner;    /* process that writes there: others, that tidy up, say nothing about the log */
    uint64_t snapshot; /* newest last included index */
    uint32_t writer;   /* process that wrote to a file there: what it reads now, it knows */
    struct load load;
};

struct state {
    struct map directories; /* by key of the path */
};

void *libraft_store_create(void)
{
    return calloc(1, sizeof(struct state));
}

void libraft_store_destroy(void *pointer)
{
    struct state *s = pointer;
    for (size_t i = 0; s && i < s->directories.capacity; i++)
        free(s->directories.slot[i].value);
    if (s)
        map_fini(&s->directories);
    free(s);
}

enum name_kind { NAME_OTHER, NAME_METADATA, NAME_OPEN, NAME_CLOSED, NAME_SNAPSHOT, NAME_SNAPSHOT_META };

struct name {
    enum name_kind kind;
    bool temporary;       /* "tmp-...": about to be renamed */
    uint64_t first, last; /* of a closed segment; term and index of a snapshot */
};

static struct name name_parse(const char *base)
{
    struct name n = {.kind = NAME_OTHER};
    uint64_t stamp;
    int used = -1;
    n.temporary = !strncmp(base, "tmp-", 4);
    if (n.temporary)
        base += 4;
    if (!strcmp(base, "metadata1") || !strcmp(base, "metadata2"))
        n.kind = NAME_METADATA;
    else if (sscanf(base, "open-%" SCNu64 "%n", &stamp, &used) == 1 && used > 0 && !base[used])
        n.kind = NAME_OPEN;
    else if (sscanf(base, "%16" SCNu64 "-%16" SCNu64 "%n", &n.first, &n.last, &used) == 2 && used == 33 && !base[used])
        n.kind = NAME_CLOSED;
    else if (sscanf(base, "snapshot-%" SCNu64 "-%" SCNu64 "-%" SCNu64 "%n", &n.first, &n.last, &stamp, &used) == 3 && used > 0)
        n.kind = !base[used] ? NAME_SNAPSHOT : !strcmp(base + used, ".meta") ? NAME_SNAPSHOT_META : NAME_OTHER;
    return n;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What is known of the directory; `length` bytes of the path. NULL: unknown, and not made unless `make`. */
static struct directory *directory_find(struct state *s, const char *path, size_t length, bool make)
{
    uint64_t key = map_key(path, length);
    struct directory *d = map_get(&s->directories, key);
    if (d || !make || s->directories.count >= DIRECTORIES_MAX || !(d = calloc(1, sizeof *d)))
        return d;
    if (!map_put(&s->directories, key, d)) {
        free(d);
        return NULL;
    }
    return d;
}

static struct directory *directory_of(struct state *s, const char *path, bool make)
{
    return directory_find(s, path, (size_t)(base_name(path) - path), make);
}

struct file {
    struct directory *directory;
    struct name name;
    uint64_t index;    /* of the last entry of a closed segment that was seen */
    bool reading;      /* what is read, not what is written */
    uint64_t parsed;   /* file offset up to which batches were read */
    uint8_t *tail;     /* what was written from there on */
    size_t length, capacity;
    bool broken;
};

bool libraft_file_mine(const struct flow_write *content)
{
    if (content->offset || (content->length && (content->length < 8 || u64(content->data) != SEGMENT_FORMAT)))
        return false;
    struct name n = name_parse(base_name(content->file->path));
    if (n.kind == NAME_METADATA)
        return !content->length || content->length == METADATA_SIZE;
    return n.kind == NAME_OPEN || n.kind == NAME_CLOSED || n.kind == NAME_SNAPSHOT_META;
}

void *libraft_file_create(void *pointer, const char *path)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->directory = directory_of(pointer, path, true);
    f->name = name_parse(base_name(path));
    f->index = f->name.first - 1;
    return f;
}

void libraft_file_destroy(void *pointer)
{
    struct file *f = pointer;
    free(f->tail);
    free(f);
}

/* Lay a write over the part of the file that was not parsed yet. Segments are written in blocks, and the last block is
 * written again with more in it. False: there is a hole. */
static bool tail_overlay(struct file *f, const struct flow_write *write)
{
    uint64_t end = write->offset + write->length;
    if (end <= f->parsed)
        return true;
    size_t skip = write->offset < f->parsed ? (size_t)(f->parsed - write->offset) : 0;
    size_t at = write->offset > f->parsed ? (size_t)(write->offset - f->parsed) : 0;
    size_t length = write->length - skip;
    if (at > f->length || at + length > 2ull * WAY_MESSAGE_MAX)
        return false;
    if (at + length > f->capacity) {
        uint8_t *tail = realloc(f->tail, at + length);
        if (!tail)
            return false;
        f->tail = tail;
        f->capacity = at + length;
    }
    memcpy(f->tail + at, write->data + skip, length);
    f->length = at + length > f->length ? at + length : f->length;
    return true;
}

/* Index of the next entry of a segment that is written; 0: an open segment does not tell, and nothing else has. */
static uint64_t written_index(struct file *f)
{
    struct directory *d = f->directory;
    if (f->name.kind == NAME_OPEN)
        return d && d->known ? ++d->last : 0;
    f->index++;
    if (d && f->index > d->last && !f->name.temporary)
        d->last = f->index;
    return f->index;
}

/* And of one that is read: closed ones come first, then the open ones in their order. 0: it is part of the snapshot. */
static uint64_t loaded_index(struct file *f)
{
    struct load *load = &f->directory->load;
    uint64_t index = f->name.kind == NAME_OPEN ? load->last + 1 : ++f->index;
    load->last = index > load->last ? index : load->last;
    return index > load->snapshot ? index : 0;
}

static void segment_entry(struct walk *w, struct file *f, const uint8_t *header, const uint8_t *data, size_t length)
{
    uint64_t index = f->reading ? loaded_index(f) : written_index(f);
    if (!index)
        return;
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND, .index = index, .entry.index = index};
    libraft_entry(w, &fact.entry, header, data, length);
    fact.term = fact.entry.term;
    walk_file_fact(w, &fact);
    struct raft_fact members = {.kind = RAFT_FACT_CONFIGURATION, .index = fact.index, .text = fact.entry.members};
    if (members.text)
        walk_file_fact(w, &members);
    free((void *)members.text);
}

/* CRC-32 with the bits in their order of significance, from 0: byteCrc32 of byte.c. */
static uint32_t crc32(const uint8_t *p, size_t length)
{
    static const uint32_t table[16] = {
        0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
        0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
    };
    uint32_t crc = 0;
    for (; length; length--, p++) {
        crc = crc << 4 ^ table[crc >> 28 ^ *p >> 4];
        crc = crc << 4 ^ table[(crc >> 28 ^ *p) & 15];
    }
    return crc;
}

/* One batch: {u32 crc of headers, u32 crc of data, u64 n, n entry headers, data}. Returns its length, 0: not there yet. */
static size_t segment_batch(struct walk *w, struct file *f, const uint8_t *p, size_t length)
{
    uint64_t n = length >= 16 ? u64(p + 8) : 0;
    if (!n || n > ENTRIES_MAX || 16 + n * ENTRY_HEADER > length)
        return 0;
    const uint8_t *headers = p + 16, *data = headers + n * ENTRY_HEADER;
    uint64_t content = libraft_entries_length(headers, n);
    if (content > length - (size_t)(data - p))
        return 0;
    if (f->reading && (crc32(p + 8, 8 + (size_t)n * ENTRY_HEADER) != u32(p) || crc32(data, (size_t)content) != u32(p + 4))) {
        f->broken = true; /* torn: the node reads no further either */
        return 0;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint32_t size = u32(headers + i * ENTRY_HEADER + 12);
        segment_entry(w, f, headers + i * ENTRY_HEADER, data, size);
        data += size;
    }
    return (size_t)(data - p);
}

/* Bytes of a segment, written or read. */
static void segment_write(struct walk *w, struct file *f, const struct flow_write *write)
{
    size_t used = 0, n;
    if (f->broken || !(tail_overlay(f, write))) {
        f->broken = true;
        return;
    }
    if (!f->parsed && f->length >= 8)
        used = 8; /* the format */
    while (used && used < f->length && (n = segment_batch(w, f, f->tail + used, f->length - used)) > 0)
        used += n;
    if (f->parsed)
        while (used < f->length && (n = segment_batch(w, f, f->tail + used, f->length - used)) > 0)
            used += n;
    f->parsed += used;
    f->length -= used;
    if (used)
        memmove(f->tail, f->tail + used, f->length);
}

static void metadata_facts(struct walk *w, const struct metadata *m)
{
    struct raft_fact term = {.kind = RAFT_FACT_TERM, .term = m->term, .loaded = true};
    struct raft_fact vote = {.kind = RAFT_FACT_VOTE, .term = m->term, .loaded = true};
    walk_fact(w, &adapter_libraft, &m->at, &term);
    snprintf(vote.peer, sizeof vote.peer, "%" PRIu64, m->vote);
    if (m->vote)
        walk_fact(w, &adapter_libraft, &m->at, &vote);
}

/* Both metadata files have been read, or there is only one. */
static void metadata_loaded(struct walk *w, struct directory *d)
{
    struct metadata m = d->load.metadata;
    d->load.metadata.version = 0;
    if (m.version)
        metadata_facts(w, &m);
}

static void metadata_read(struct directory *d, const struct flow_write *read)
{
    struct metadata *m = &d->load.metadata;
    if (read->offset || read->length < METADATA_SIZE || u64(read->data + 8) <= m->version)
        return;
    *m = (struct metadata){u64(read->data + 8), u64(read->data + 16), u64(read->data + 24), read->done};
}

static void metadata_write(struct walk *w, const struct flow_write *write)
{
    if (write->offset || write->length < METADATA_SIZE)
        return;
    struct raft_fact term = {.kind = RAFT_FACT_TERM, .term = u64(write->data + 16)};
    struct raft_fact vote = {.kind = RAFT_FACT_VOTE, .term = term.term};
    uint64_t candidate = u64(write->data + 24);
    walk_file_fact(w, &term);
    snprintf(vote.peer, sizeof vote.peer, "%" PRIu64, candidate);
    if (candidate)
        walk_file_fact(w, &vote);
}

/* The configuration in a snapshot's .meta. */
static void snapshot_members(struct walk *w, const uint8_t *bytes, size_t size)
{
    uint64_t length = size >= META_HEADER ? u64(bytes + 24) : 0;
    if (!length || length > size - META_HEADER)
        return;
    struct raft_fact members = {.kind = RAFT_FACT_CONFIGURATION, .index = u64(bytes + 16)};
    members.text = libraft_configuration(bytes + META_HEADER, (size_t)length, false);
    libraft_configuration_known(w, bytes + META_HEADER, (size_t)length);
    if (members.text)
        walk_file_fact(w, &members);
    free((void *)members.text);
}

/* Header and configuration are read one after the other. The name tells term and index. */
static void snapshot_read(struct walk *w, struct file *f, const struct flow_write *read)
{
    struct load *load = &f->directory->load;
    if (f->broken || f->name.temporary || !tail_overlay(f, read)) {
        f->broken = true;
        return;
    }
    uint64_t length = f->length >= META_HEADER ? u64(f->tail + 24) : 0;
    if (!length || length > f->length - META_HEADER)
        return;
    f->broken = true; /* enough was read */
    struct raft_fact fact = {.kind = RAFT_FACT_SNAPSHOT, .term = f->name.first, .index = f->name.last};
    load->snapshot = fact.index;
    load->last = fact.index > load->last ? fact.index : load->last;
    walk_file_fact(w, &fact);
    snapshot_members(w, f->tail, f->length);
}

void libraft_file_write(void *state, struct walk *w, void *pointer, const struct flow_write *write)
{
    struct file *f = pointer;
    (void)state;
    if (f->directory) {
        metadata_loaded(w, f->directory);
        f->directory->owner = f->directory->writer = write->done.process;
    }
    switch (f->name.kind) {
    case NAME_METADATA: metadata_write(w, write); break;
    case NAME_SNAPSHOT_META:
        if (!write->offset)
            snapshot_members(w, write->data, write->length);
        break;
    default: segment_write(w, f, write); break;
    }
}

void libraft_file_read(void *state, struct walk *w, void *pointer, const struct flow_write *read)
{
    struct file *f = pointer;
    struct directory *d = f->directory;
    (void)state;
    if (!d || d->writer == read->done.process)
        return;
    if (d->load.process != read->done.process) {
        metadata_loaded(w, d);
        d->load = (struct load){.process = read->done.process};
    }
    f->reading = true;
    if (f->name.kind == NAME_METADATA) {
        metadata_read(d, read);
        return;
    }
    metadata_loaded(w, d);
    if (f->name.kind == NAME_SNAPSHOT_META)
        snapshot_read(w, f, read);
    else
        segment_write(w, f, read);
}

static void truncated(struct walk *w, struct directory *d, uint64_t index, const struct flow_at *at)
{
    struct raft_fact fact = {.kind = RAFT_FACT_TRUNCATE, .index = index, .written = true, .durable = true};
    d->last = index;
    walk_fact(w, &adapter_libraft, at, &fact);
}

static void snapshot_taken(struct walk *w, struct directory *d, const struct name *n, const struct flow_at *at)
{
    struct raft_fact fact = {.kind = RAFT_FACT_SNAPSHOT, .term = n->first, .index = n->last, .written = true,
                             .durable = true};
    if (n->last > d->snapshot)
        d->snapshot = n->last;
    if (n->last > d->last)
        d->last = n->last; /* installed from the leader: the log starts anew after it */
    d->known = true;
    walk_fact(w, &adapter_libraft, at, &fact);
}

/* Files get their names when they are complete: a segment is closed, a snapshot taken, a segment replaced by its first
 * part because the log was truncated in it. */
void libraft_renamed(void *pointer, struct walk *w, const char *from, const char *to, const struct flow_at *at)
{
    struct name old = name_parse(base_name(from)), new = name_parse(base_name(to));
    struct directory *d = directory_of(pointer, to, false);
    if (d && old.kind == NAME_OPEN && new.kind == NAME_CLOSED)
        d->owner = at->process; /* the next incarnation, which closes what it finds open before it writes */
    if (!d || new.temporary || at->process != d->owner)
        return;
    if (new.kind == NAME_SNAPSHOT) {
        snapshot_taken(w, d, &new, at);
    } else if (new.kind == NAME_CLOSED && old.kind == NAME_CLOSED && d->known && new.last < d->last) {
        truncated(w, d, new.last, at);
    } else if (new.kind == NAME_CLOSED) {
        d->last = new.last > d->last ? new.last : d->last;
        d->known = true;
    }
}

/* A closed segment goes when a snapshot covers it, or when the log is truncated at or before its first entry. */
void libraft_removed(void *pointer, struct walk *w, const char *path, const struct flow_at *at)
{
    struct name n = name_parse(base_name(path));
    struct directory *d = n.kind == NAME_CLOSED && !n.temporary ? directory_of(pointer, path, false) : NULL;
    if (d && at->process != d->owner)
        d->known = false; /* the next process that lists the directory says what is left */
    else if (d && d->known && n.first > d->snapshot && n.last <= d->last)
        truncated(w, d, n.first - 1, at);
}

static struct directory *listed_directory(struct state *s, const char *path)
{
    char prefix[4100];
    int length = snprintf(prefix, sizeof prefix, "%s/", path);
    return length > 0 && (size_t)length < sizeof prefix ? directory_find(s, prefix, (size_t)length, true) : NULL;
}

static void directory_saw(struct directory *d, const struct name *n)
{
    if (n->temporary || (n->kind != NAME_CLOSED && n->kind != NAME_SNAPSHOT))
        return;
    if (!d->known)
        d->last = d->snapshot = 0;
    d->last = n->last > d->last ? n->last : d->last;
    if (n->kind == NAME_SNAPSHOT && n->last > d->snapshot)
        d->snapshot = n->last;
    d->known = true;
}

/* At start the store lists its directory: the last index of a log that was there before the recording. */
void libraft_listed(void *pointer, struct walk *w, const char *path, struct trace_bytes dirents, const struct flow_at *at)
{
    const size_t name_at = 19, empty = 48; /* struct linux_dirent64: ino, off, u16 reclen, u8 type, name; "." and ".." */
    struct directory *d = dirents.length == empty ? listed_directory(pointer, path) : NULL;
    (void)at;
    if (d)
        d->known = true;
    for (size_t i = 0; i + name_at < dirents.length;) {
        const uint8_t *entry = dirents.data + i;
        uint16_t size = (uint16_t)(entry[16] | entry[17] << 8);
        char base[64] = "";
        if (size <= name_at || size > dirents.length - i)
            return;
        memcpy(base, entry + name_at, size - name_at < sizeof base ? size - name_at : sizeof base - 1);
        struct name n = name_parse(base);
        if (n.kind != NAME_OTHER && !d)
            d = listed_directory(pointer, path);
        if (d)
            directory_saw(d, &n);
        i += size;
    }
    if (d)
        metadata_loaded(w, d);
}

