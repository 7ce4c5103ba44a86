/* Adapter for canonical/raft 0.9 to 0.18 (libraft, as in dqlite) on its uv transport and store. All integers are little
 * endian. One TCP connection for each direction between two nodes, opened by the sender with a handshake.
 * Sources: src/uv_tcp_connect.c, uv_encoding.c, configuration.c of 0.15. Its files: libraft_store.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/libraft.h"

enum message_type { APPEND_ENTRIES = 1, APPEND_ENTRIES_RESULT, REQUEST_VOTE, REQUEST_VOTE_RESULT, INSTALL_SNAPSHOT, TIMEOUT_NOW };
#define ROLE_VOTER 1

#define PREAMBLE 16
#define HANDSHAKE 24
#define ADDRESS_MAX 512

/* --- entries and configurations --- */

uint64_t libraft_entries_length(const uint8_t *headers, uint64_t n)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < n; i++)
        total += u32(headers + i * ENTRY_HEADER + 12);
    return total;
}

/* The configuration {u8 format 1, u64 n, n times {u64 id, address NUL, u8 role}}, in the form of RAFT_FACT_CONFIGURATION, or
 * as "id address role ..." for people; malloc'ed, NULL: not one. Standbys and spares do not vote. */
char *libraft_configuration(const uint8_t *p, size_t length, bool people)
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
void libraft_configuration_known(struct walk *w, const uint8_t *p, size_t length)
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
    char *text = libraft_configuration(data, length, true);
    if (!text)
        return;
    entry_text(entry->text, sizeof entry->text, text, strlen(text));
    free(text);
    entry->members = libraft_configuration(data, length, false);
    libraft_configuration_known(w, data, length);
}

void libraft_entry(struct walk *w, struct raft_entry *entry, const uint8_t *header, const uint8_t *data, size_t length)
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
        return *valid ? libraft_entries_length(header + 40, n) : 0;
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
        libraft_entry(w, &entry[i], header, data, content);
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
        m->may_disregard = size >= 40 && !(u64(h + 32) & 3);
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

const struct protocol_adapter adapter_libraft = {
    .name = "libraft", .create = libraft_store_create, .destroy = libraft_store_destroy, .probe = probe, .frame = frame, .message = message,
    .file_mine = libraft_file_mine, .file_create = libraft_file_create, .file_destroy = libraft_file_destroy,
    .file_write = libraft_file_write, .file_read = libraft_file_read, .renamed = libraft_renamed, .removed = libraft_removed,
    .listed = libraft_listed,
};
