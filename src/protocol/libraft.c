/* Adapter for canonical/raft 0.9 to 0.18 (libraft, as in dqlite) on its uv transport and store. All integers are little
 * endian. One TCP connection for each direction between two nodes, opened by the sender with a handshake.
 * Sources: src/uv_tcp_connect.c, uv_encoding.c, uv_segment.c, uv_metadata.c, uv_snapshot.c, configuration.c of 0.15. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/adapter.h"
#include "protocol/map.h"

enum message_type { APPEND_ENTRIES = 1, APPEND_ENTRIES_RESULT, REQUEST_VOTE, REQUEST_VOTE_RESULT, INSTALL_SNAPSHOT, TIMEOUT_NOW };
enum entry_type { ENTRY_COMMAND = 1, ENTRY_BARRIER, ENTRY_CHANGE };
#define ROLE_VOTER 1

#define PREAMBLE 16
#define HANDSHAKE 24
#define ADDRESS_MAX 512
#define HEADER_MAX (WAY_MESSAGE_MAX / 2)
#define ENTRIES_MAX (HEADER_MAX / 16)
#define DIRECTORIES_MAX 4096
#define SEGMENT_FORMAT 1

static uint64_t u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* --- entries and configurations --- */

/* {u64 term, u8 type, 3 unused, u32 length} */
#define ENTRY_HEADER 16

static uint64_t entries_length(const uint8_t *headers, uint64_t n)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < n; i++)
        total += u32(headers + i * ENTRY_HEADER + 12);
    return total;
}

/* The configuration {u8 format 1, u64 n, n times {u64 id, address NUL, u8 role}}, in the form of RAFT_FACT_CONFIGURATION, or
 * as "id address role ..." for people; malloc'ed, NULL: not one. Standbys and spares do not vote. */
static char *configuration_text(const uint8_t *p, size_t length, bool people)
{
    static const char *const roles[] = {"standby", "voter", "spare"};
    const uint8_t *end = p + length;
    char *out = NULL;
    size_t size = 0;
    FILE *f = length < 9 || *p != 1 ? NULL : open_memstream(&out, &size);
    uint64_t n = f ? u64(p + 1) : 0;
    if (!f)
        return NULL;
    p += 9;
    for (uint64_t i = 0; i < n && end - p > 9; i++) {
        const uint8_t *nul = memchr(p + 8, '\0', (size_t)(end - p) - 8);
        if (!nul || end - nul < 2 || nul - p > ADDRESS_MAX)
            break;
        fprintf(f, "%s%" PRIu64, i ? " " : "", u64(p));
        if (people)
            fprintf(f, " %s %s", (const char *)p + 8, nul[1] < 3 ? roles[nul[1]] : "?");
        else
            fprintf(f, "%s", nul[1] == ROLE_VOTER ? "" : "*");
        p = nul + 2;
    }
    fclose(f);
    return out;
}

/* Tell the walk who is where. */
static void configuration_known(struct walk *w, const uint8_t *p, size_t length)
{
    const uint8_t *end = p + length;
    uint64_t n = length >= 9 && *p == 1 ? u64(p + 1) : 0;
    for (p += 9; n && end - p > 9; n--) {
        char id[24];
        const uint8_t *nul = memchr(p + 8, '\0', (size_t)(end - p) - 8);
        if (!nul || end - nul < 2 || nul - p > ADDRESS_MAX)
            return;
        snprintf(id, sizeof id, "%" PRIu64, u64(p));
        walk_address(w, (const char *)p + 8, id);
        p = nul + 2;
    }
}

/* An entry that is a configuration; entry->members is the caller's to free. */
static void entry_members(struct walk *w, struct raft_entry *entry, const uint8_t *data, size_t length)
{
    char *text = configuration_text(data, length, true);
    if (!text)
        return;
    entry_text(entry->text, sizeof entry->text, text, strlen(text));
    free(text);
    entry->members = configuration_text(data, length, false);
    configuration_known(w, data, length);
}

static void entry_fill(struct walk *w, struct raft_entry *entry, const uint8_t *header, const uint8_t *data, size_t length)
{
    static const char types[] = {'?', 'c', 'n', 'm'};
    entry->term = u64(header);
    entry_content(entry, header[8] <= ENTRY_CHANGE ? types[header[8]] : '?', data, length);
    if (header[8] == ENTRY_BARRIER)
        snprintf(entry->text, sizeof entry->text, "barrier");
    if (header[8] == ENTRY_CHANGE)
        entry_members(w, entry, data, length);
}

/* --- the wire --- */

static bool address_valid(const uint8_t *p, size_t length)
{
    size_t n = strnlen((const char *)p, length);
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] >= 0x7f)
            return false;
    return n > 0 && n < length;
}

/* A handshake: u64 protocol 1, u64 id, u64 length, the address and padding to 8 bytes. */
static int probe(const uint8_t *bytes, size_t length)
{
    static const uint8_t protocol[8] = {1};
    if (memcmp(bytes, protocol, length < 8 ? length : 8))
        return 0;
    if (length < HANDSHAKE)
        return -1;
    uint64_t size = u64(bytes + 16);
    if (!u64(bytes + 8) || !size || size > ADDRESS_MAX || size % 8)
        return 0;
    if (length < HANDSHAKE + size)
        return -1;
    return address_valid(bytes + HANDSHAKE, (size_t)size);
}

static size_t payload_length(const uint8_t *header, uint64_t type, uint64_t size, bool *valid)
{
    *valid = true;
    if (type == APPEND_ENTRIES) {
        uint64_t n = size >= 40 ? u64(header + 32) : ENTRIES_MAX + 1;
        *valid = n <= ENTRIES_MAX && 40 + n * ENTRY_HEADER <= size;
        return *valid ? entries_length(header + 40, n) : 0;
    }
    if (type == INSTALL_SNAPSHOT) { /* data_len stands after the configuration */
        uint64_t configuration = size >= 48 ? u64(header + 32) : size;
        *valid = configuration <= size && 48 + configuration <= size && u64(header + 40 + configuration) <= 1ull << 40;
        return *valid ? u64(header + 40 + configuration) : 0;
    }
    return 0;
}

static size_t frame(struct way *way, const uint8_t *bytes, size_t length)
{
    bool valid;
    if (!way->messages)
        return length < HANDSHAKE ? 0 : HANDSHAKE + (size_t)u64(bytes + 16);
    if (length < PREAMBLE)
        return 0;
    uint64_t type = u64(bytes), size = u64(bytes + 8);
    if (type < APPEND_ENTRIES || type > TIMEOUT_NOW || size < 16 || size > HEADER_MAX || size % 8)
        return WAY_FOREIGN;
    if (length < PREAMBLE + size)
        return 0;
    size_t payload = payload_length(bytes + PREAMBLE, type, size, &valid);
    return valid ? PREAMBLE + (size_t)size + payload : WAY_FOREIGN;
}

static void entries_free(struct raft_message *m)
{
    for (size_t i = 0; i < m->entries; i++)
        free((void *)m->entry[i].members);
    free((void *)m->entry);
}

/* {u64 term, last_index, last_term, conf_index, conf_length, configuration, data_length}: the configuration as an entry. */
static bool decode_snapshot(struct walk *w, const uint8_t *h, struct raft_message *m)
{
    struct raft_entry *entry = calloc(1, sizeof *entry);
    m->prev_index = u64(h + 8);
    m->prev_term = u64(h + 16);
    if (!entry)
        return false;
    entry->index = u64(h + 24);
    entry->type = 'm';
    entry_members(w, entry, h + 40, (size_t)u64(h + 32)); /* the length was checked by frame() */
    m->entry = entry;
    m->entries = entry->members ? 1 : 0;
    return true;
}

static bool decode_append(struct walk *w, const uint8_t *h, const uint8_t *data, size_t length, struct raft_message *m)
{
    uint64_t n = u64(h + 32); /* checked by frame() */
    struct raft_entry *entry = n ? calloc((size_t)n, sizeof *entry) : NULL;
    m->prev_index = u64(h + 8);
    m->prev_term = u64(h + 16);
    m->commit = u64(h + 24);
    for (uint64_t i = 0; entry && i < n; i++) {
        const uint8_t *header = h + 40 + i * ENTRY_HEADER;
        uint32_t content = u32(header + 12);
        if (content > length)
            break; /* an oversized message: the rest was not kept */
        entry[i].index = m->prev_index + 1 + i;
        entry_fill(w, &entry[i], header, data, content);
        data += content;
        length -= content;
        m->entries++;
    }
    m->entry = entry;
    return !n || entry;
}

static bool decode(struct walk *w, const uint8_t *h, uint64_t type, size_t size, const uint8_t *data, size_t length,
                   struct raft_message *m)
{
    m->term = u64(h);
    switch (type) {
    case APPEND_ENTRIES:
        return decode_append(w, h, data, length, m);
    case APPEND_ENTRIES_RESULT: /* u64 rejected: 0, or the index that was refused */
        m->success = size >= 24 && !u64(h + 8);
        m->match = size >= 24 ? u64(h + 16) : 0;
        m->prev_index = size >= 24 ? u64(h + 8) : 0;
        return size >= 24;
    case REQUEST_VOTE:
        snprintf(m->from, sizeof m->from, "%" PRIu64, size >= 32 ? u64(h + 8) : 0);
        m->prev_index = size >= 32 ? u64(h + 16) : 0;
        m->prev_term = size >= 32 ? u64(h + 24) : 0;
        m->pre_vote = size >= 40 && u64(h + 32) & 2;
        return size >= 32;
    case REQUEST_VOTE_RESULT:
        m->success = u64(h + 8) == 1;
        m->pre_vote = size >= 24 && u64(h + 16) & 1;
        return true;
    case INSTALL_SNAPSHOT:
        return decode_snapshot(w, h, m);
    default:
        m->prev_index = u64(h + 8);
        m->prev_term = size >= 24 ? u64(h + 16) : 0;
        return true;
    }
}

static void handshake(struct walk *w, struct way *way, const uint8_t *bytes, const struct flow_at *at, char name[32])
{
    snprintf(name, 32, "handshake");
    snprintf(way->sender, sizeof way->sender, "%" PRIu64, u64(bytes + 8));
    walk_address(w, (const char *)bytes + HANDSHAKE, way->sender);
    if (way->direction == FLOW_SENT)
        walk_node(w, &adapter_libraft, at, way->sender);
}

static bool message(void *state, struct walk *w, struct way *way, const uint8_t *bytes, size_t length, size_t whole,
                    const struct flow_at *at, char name[32])
{
    static const struct { enum raft_type type; const char *name; } types[] = {
        [APPEND_ENTRIES] = {RAFT_APPEND_ENTRIES, "AppendEntries"},
        [APPEND_ENTRIES_RESULT] = {RAFT_APPEND_ENTRIES_RESULT, "AppendEntriesResult"},
        [REQUEST_VOTE] = {RAFT_REQUEST_VOTE, "RequestVote"}, [REQUEST_VOTE_RESULT] = {RAFT_REQUEST_VOTE_RESULT, "RequestVoteResult"},
        [INSTALL_SNAPSHOT] = {RAFT_INSTALL_SNAPSHOT, "InstallSnapshot"}, [TIMEOUT_NOW] = {RAFT_TIMEOUT_NOW, "TimeoutNow"},
    };
    (void)state;
    if (!way->messages)
        return handshake(w, way, bytes, at, name), true;
    uint64_t type = u64(bytes);
    size_t size = (size_t)u64(bytes + 8);
    struct raft_message m = {.type = types[type].type};
    snprintf(m.name, sizeof m.name, "%s", types[type].name);
    snprintf(name, 32, "%s", types[type].name);
    bool good = decode(w, bytes + PREAMBLE, type, size, bytes + PREAMBLE + size, length - PREAMBLE - size, &m);
    if (good)
        walk_message(w, way, at, &m, whole);
    entries_free(&m);
    return good;
}

/* --- the store: a directory with metadata1, metadata2, segments and snapshots --- */

struct directory {
    uint64_t last;     /* index of the last entry written */
    bool known;        /* `last` can be relied on */
    uint32_t owner;    /* process that writes there: others, that tidy up, say nothing about the log */
    uint64_t snapshot; /* newest last included index */
};

struct state {
    struct map directories; /* by key of the path */
};

static void *create(void)
{
    return calloc(1, sizeof(struct state));
}

static void destroy(void *pointer)
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
    uint64_t index;    /* of the last entry read from a closed segment */
    uint64_t parsed;   /* file offset up to which batches were read */
    uint8_t *tail;     /* what was written from there on */
    size_t length, capacity;
    bool broken;
};

static bool file_mine(const struct flow_write *w)
{
    struct name n = name_parse(base_name(w->file->path));
    if (w->offset || w->length < 8 || u64(w->data) != SEGMENT_FORMAT)
        return false;
    return n.kind == NAME_METADATA ? w->length == 32 : n.kind == NAME_OPEN || n.kind == NAME_CLOSED || n.kind == NAME_SNAPSHOT_META;
}

static void *file_create(void *pointer, const char *path)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->directory = directory_of(pointer, path, true);
    f->name = name_parse(base_name(path));
    f->index = f->name.first - 1;
    return f;
}

static void file_destroy(void *pointer)
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

static void segment_entry(struct walk *w, struct file *f, const uint8_t *header, const uint8_t *data, size_t length)
{
    bool closed = f->name.kind == NAME_CLOSED;
    if (!closed && !(f->directory && f->directory->known))
        return; /* an open segment does not tell its first index, and nothing else has */
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND};
    fact.index = fact.entry.index = closed ? ++f->index : ++f->directory->last;
    if (closed && f->directory && f->index > f->directory->last && !f->name.temporary)
        f->directory->last = f->index;
    entry_fill(w, &fact.entry, header, data, length);
    fact.term = fact.entry.term;
    walk_file_fact(w, &fact);
    struct raft_fact members = {.kind = RAFT_FACT_CONFIGURATION, .index = fact.index, .text = fact.entry.members};
    if (members.text)
        walk_file_fact(w, &members);
    free((void *)members.text);
}

/* One batch: {u32 crc of headers, u32 crc of data, u64 n, n entry headers, data}. Returns its length, 0: not there yet. */
static size_t segment_batch(struct walk *w, struct file *f, const uint8_t *p, size_t length)
{
    uint64_t n = length >= 16 ? u64(p + 8) : 0;
    if (!n || n > ENTRIES_MAX || 16 + n * ENTRY_HEADER > length)
        return 0;
    const uint8_t *headers = p + 16, *data = headers + n * ENTRY_HEADER;
    uint64_t content = entries_length(headers, n);
    if (content > length - (size_t)(data - p))
        return 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t size = u32(headers + i * ENTRY_HEADER + 12);
        segment_entry(w, f, headers + i * ENTRY_HEADER, data, size);
        data += size;
    }
    return (size_t)(data - p);
}

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

static void metadata_write(struct walk *w, const struct flow_write *write)
{
    if (write->offset || write->length < 32)
        return;
    struct raft_fact term = {.kind = RAFT_FACT_TERM, .term = u64(write->data + 16)};
    struct raft_fact vote = {.kind = RAFT_FACT_VOTE, .term = term.term};
    uint64_t candidate = u64(write->data + 24);
    walk_file_fact(w, &term);
    snprintf(vote.peer, sizeof vote.peer, "%" PRIu64, candidate);
    if (candidate)
        walk_file_fact(w, &vote);
}

/* {u64 format, u64 crc, u64 configuration index, u64 configuration length, configuration} */
static void snapshot_meta_write(struct walk *w, const struct flow_write *write)
{
    uint64_t length = write->length >= 32 ? u64(write->data + 24) : 0;
    if (write->offset || !length || length > write->length - 32)
        return;
    struct raft_fact members = {.kind = RAFT_FACT_CONFIGURATION, .index = u64(write->data + 16)};
    members.text = configuration_text(write->data + 32, (size_t)length, false);
    configuration_known(w, write->data + 32, (size_t)length);
    if (members.text)
        walk_file_fact(w, &members);
    free((void *)members.text);
}

static void file_write(void *state, struct walk *w, void *pointer, const struct flow_write *write)
{
    struct file *f = pointer;
    (void)state;
    if (f->directory)
        f->directory->owner = write->done.process;
    switch (f->name.kind) {
    case NAME_METADATA: metadata_write(w, write); break;
    case NAME_SNAPSHOT_META: snapshot_meta_write(w, write); break;
    default: segment_write(w, f, write); break;
    }
}

static void truncated(struct walk *w, struct directory *d, uint64_t index, const struct flow_at *at)
{
    struct raft_fact fact = {.kind = RAFT_FACT_TRUNCATE, .index = index, .written = true, .durable = true};
    d->last = index;
    walk_fact(w, &adapter_libraft, at, &fact);
}

static void snapshot_taken(struct walk *w, struct directory *d, const struct name *n, const struct flow_at *at)
{
    struct raft_fact fact = {.kind = RAFT_FACT_SNAPSHOT, .term = n->first, .index = n->last, .written = true, .durable = true};
    if (n->last > d->snapshot)
        d->snapshot = n->last;
    if (n->last > d->last)
        d->last = n->last; /* installed from the leader: the log starts anew after it */
    d->known = true;
    walk_fact(w, &adapter_libraft, at, &fact);
}

/* Files get their names when they are complete: a segment is closed, a snapshot taken, a segment replaced by its first
 * part because the log was truncated in it. */
static void renamed(void *pointer, struct walk *w, const char *from, const char *to, const struct flow_at *at)
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
static void removed(void *pointer, struct walk *w, const char *path, const struct flow_at *at)
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
static void listed(void *pointer, struct walk *w, const char *path, struct trace_bytes dirents, const struct flow_at *at)
{
    const size_t name_at = 19, empty = 48; /* struct linux_dirent64: ino, off, u16 reclen, u8 type, name; "." and ".." */
    struct directory *d = dirents.length == empty ? listed_directory(pointer, path) : NULL;
    (void)w, (void)at;
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
}

const struct protocol_adapter adapter_libraft = {
    .name = "libraft", .create = create, .destroy = destroy, .probe = probe, .frame = frame, .message = message,
    .file_mine = file_mine, .file_create = file_create, .file_destroy = file_destroy, .file_write = file_write,
    .renamed = renamed, .removed = removed, .listed = listed,
};
