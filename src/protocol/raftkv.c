/* Adapter for raftkv, the Raft server that the tests plant mistakes in (tests/nodes/raftkv): its messages. One TCP connection
 * for each direction between two servers, opened by the sender with a hello; replies travel on the replier's own. */
#include "protocol/raftkv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void *create(void)
{
    return calloc(1, sizeof(struct raftkv));
}

static void destroy(void *pointer)
{
    struct raftkv *s = pointer;
    if (!s)
        return;
    raftkv_client_fini(s);
    raftkv_shapes_fini(s);
    map_fini(&s->servers);
    free(s);
}

void raftkv_server(struct raftkv *s, uint32_t process)
{
    if (!map_get(&s->servers, process))
        map_put(&s->servers, process, s); /* no memory: its clients go unread */
}

/* --- entries and configurations --- */

/* One word "ID=HOST:PORT" or "ID~HOST:PORT". Returns its length, 0: it is not one. */
static size_t member_parse(const uint8_t *text, size_t length, uint64_t *id, char *sign, char address[RAFTKV_ADDRESS])
{
    size_t n = 0, digits;
    for (*id = 0; n < length && n < 18 && text[n] >= '0' && text[n] <= '9'; n++)
        *id = *id * 10 + text[n] - '0';
    digits = n;
    if (!digits || n == length || (text[n] != '=' && text[n] != '~'))
        return 0;
    *sign = (char)text[n++];
    size_t from = n;
    while (n < length && n - from < RAFTKV_ADDRESS - 1 && text[n] > ' ' && text[n] < 0x7f)
        n++;
    snprintf(address, RAFTKV_ADDRESS, "%.*s", (int)(n - from), (const char *)text + from);
    return n > from && (n == length || text[n] == ' ') ? n : 0;
}

char *raftkv_members(struct walk *w, const uint8_t *text, size_t length)
{
    char *out = NULL, sign, address[RAFTKV_ADDRESS], id_text[24];
    uint64_t id;
    size_t size = 0, n = 0;
    FILE *f = open_memstream(&out, &size);
    for (size_t i = 0; f && i < length; i += n + 1) {
        if (!(n = member_parse(text + i, length - i, &id, &sign, address)))
            break;
        snprintf(id_text, sizeof id_text, "%" PRIu64, id);
        walk_address(w, address, id_text);
        fprintf(f, "%s%s%s", i ? " " : "", id_text, sign == '~' ? "*" : "");
    }
    if (f)
        fclose(f);
    if (n)
        return out;
    free(out);
    return NULL;
}

void raftkv_entry(struct walk *w, struct raft_entry *entry, uint32_t type, const uint8_t *content, size_t length)
{
    static const char types[] = {'?', 'c', 'n', 'm'};
    entry_content(entry, type < sizeof types ? types[type] : '?', content, length);
    if (type == RAFTKV_NOOP)
        snprintf(entry->text, sizeof entry->text, "no-op");
    if (type == RAFTKV_CONFIGURATION)
        entry->members = raftkv_members(w, content, length);
}

/* --- messages --- */

static int probe(const uint8_t *bytes, size_t length)
{
    if (memcmp(bytes, "RKVH", length < 4 ? length : 4))
        return raftkv_client_probe(bytes, length);
    if (length < RAFTKV_HELLO)
        return -1;
    return raftkv_u32(bytes + RAFTKV_HELLO_VERSION) == RAFTKV_VERSION && raftkv_u64(bytes + RAFTKV_HELLO_ID) != 0 &&
           memchr(bytes + RAFTKV_HELLO_ADDRESS, '\0', RAFTKV_ADDRESS) != NULL;
}

/* Servers are told from clients by the hello: it leaves the sender's id. */
static bool between_servers(const struct way *way, const uint8_t *bytes, size_t length)
{
    return *way->sender || (!way->messages && length >= 4 && !memcmp(bytes, "RKVH", 4));
}

static size_t frame(struct way *way, const uint8_t *bytes, size_t length)
{
    if (!between_servers(way, bytes, length))
        return raftkv_client_frame(bytes, length);
    if (!*way->sender)
        return RAFTKV_HELLO;
    if (length <= RAFTKV_HEADER_TYPE)
        return 0;
    size_t size = raftkv_u32(bytes);
    uint8_t type = bytes[RAFTKV_HEADER_TYPE];
    bool good = size >= RAFTKV_HEADER && size <= RAFTKV_MESSAGE_MAX && bytes[RAFTKV_HEADER_VERSION] == RAFTKV_VERSION &&
                type >= RAFTKV_REQUEST_VOTE && type <= RAFTKV_TIMEOUT_NOW;
    return good ? size : WAY_FOREIGN;
}

static void hello(struct raftkv *s, struct walk *w, struct way *way, const uint8_t *bytes, const struct flow_at *at)
{
    snprintf(way->sender, sizeof way->sender, "%" PRIu64, raftkv_u64(bytes + RAFTKV_HELLO_ID));
    walk_address(w, (const char *)bytes + RAFTKV_HELLO_ADDRESS, way->sender);
    if (way->direction == FLOW_SENT)
        walk_node(w, &adapter_raftkv, at, way->sender);
    raftkv_server(s, at->process);
}

/* Index and term of the i-th entry follow from what is before it. False: they do not fit into the message. */
static bool entries_decode(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m, size_t count)
{
    struct raft_entry *entry = calloc(count ? count : 1, sizeof *entry);
    m->entry = entry;
    for (; entry && m->entries < count; m->entries++) {
        struct raft_entry *e = &entry[m->entries];
        size_t size = length >= RAFTKV_ENTRY ? raftkv_u32(p + RAFTKV_ENTRY_LENGTH) : SIZE_MAX;
        if (size > RAFTKV_CONTENT_MAX || size > length - RAFTKV_ENTRY)
            return false;
        raftkv_entry(w, e, raftkv_u32(p + RAFTKV_ENTRY_TYPE), p + RAFTKV_ENTRY, size);
        e->index = m->prev_index + 1 + m->entries;
        e->term = raftkv_u64(p);
        p += RAFTKV_ENTRY + size;
        length -= RAFTKV_ENTRY + size;
    }
    return entry && !length;
}

static bool append_entries(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    uint32_t count = raftkv_u32(p + 32);
    m->prev_index = raftkv_u64(p);
    m->prev_term = raftkv_u64(p + 8);
    m->commit = raftkv_u64(p + 16);
    m->round = raftkv_u64(p + 24);
    return count <= RAFTKV_BATCH_MAX &&
           entries_decode(w, p + RAFTKV_BODY_APPEND_ENTRIES, length - RAFTKV_BODY_APPEND_ENTRIES, m, count);
}

static bool append_reply(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    (void)w, (void)length;
    m->success = raftkv_u64(p) != 0;
    m->prev_index = raftkv_u64(p + 8);
    m->match = raftkv_u64(p + (m->success ? 16 : 24));
    m->round = raftkv_u64(p + 32);
    return true;
}

static bool request_vote(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    (void)w, (void)length;
    m->prev_index = raftkv_u64(p);
    m->prev_term = raftkv_u64(p + 8);
    return true;
}

static bool vote_reply(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    (void)w, (void)length;
    m->asked = raftkv_u64(p);
    m->success = raftkv_u64(p + 8) != 0;
    return true;
}

/* The configuration of the snapshot that a message carries. */
static void snapshot_members(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    struct raft_entry *entry = length >= RAFTKV_SNAPSHOT ? calloc(1, sizeof *entry) : NULL;
    size_t members = entry ? raftkv_u32(p + RAFTKV_SNAPSHOT_MEMBERS) : 0;
    m->entry = entry;
    if (!entry || members > length - RAFTKV_SNAPSHOT)
        return;
    entry->type = 'm';
    entry->index = raftkv_u64(p + RAFTKV_SNAPSHOT_MEMBERS_INDEX);
    entry->members = raftkv_members(w, p + RAFTKV_SNAPSHOT, members);
    m->entries = entry->members ? 1 : 0;
}

static bool install_snapshot(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    m->prev_index = raftkv_u64(p);
    m->prev_term = raftkv_u64(p + 8);
    m->round = raftkv_u64(p + 16);
    snapshot_members(w, p + RAFTKV_BODY_INSTALL_SNAPSHOT, length - RAFTKV_BODY_INSTALL_SNAPSHOT, m);
    return raftkv_u32(p + 24) == length - RAFTKV_BODY_INSTALL_SNAPSHOT;
}

static bool snapshot_reply(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    (void)w, (void)length;
    m->success = true; /* refusals are not sent */
    m->match = raftkv_u64(p);
    m->round = raftkv_u64(p + 8);
    return true;
}

static bool timeout_now(struct walk *w, const uint8_t *p, size_t length, struct raft_message *m)
{
    (void)w, (void)p, (void)length, (void)m;
    return true;
}

static const struct {
    const char *name;
    enum raft_type type;
    size_t least; /* bytes of body */
    bool (*decode)(struct walk *w, const uint8_t *body, size_t length, struct raft_message *m);
} types[] = {
    [RAFTKV_REQUEST_VOTE] = {"RequestVote", RAFT_REQUEST_VOTE, RAFTKV_BODY_REQUEST_VOTE, request_vote},
    [RAFTKV_VOTE_REPLY] = {"VoteReply", RAFT_REQUEST_VOTE_RESULT, RAFTKV_BODY_VOTE_REPLY, vote_reply},
    [RAFTKV_APPEND_ENTRIES] = {"AppendEntries", RAFT_APPEND_ENTRIES, RAFTKV_BODY_APPEND_ENTRIES, append_entries},
    [RAFTKV_APPEND_REPLY] = {"AppendReply", RAFT_APPEND_ENTRIES_RESULT, RAFTKV_BODY_APPEND_REPLY, append_reply},
    [RAFTKV_INSTALL_SNAPSHOT] = {"InstallSnapshot", RAFT_INSTALL_SNAPSHOT, RAFTKV_BODY_INSTALL_SNAPSHOT, install_snapshot},
    [RAFTKV_SNAPSHOT_REPLY] = {"SnapshotReply", RAFT_INSTALL_SNAPSHOT_RESULT, RAFTKV_BODY_SNAPSHOT_REPLY, snapshot_reply},
    [RAFTKV_TIMEOUT_NOW] = {"TimeoutNow", RAFT_TIMEOUT_NOW, 0, timeout_now},
};

static void entries_free(const struct raft_message *m)
{
    for (size_t i = 0; i < m->entries; i++)
        free((void *)m->entry[i].members);
    free((void *)m->entry);
}

static bool message(void *state, struct walk *w, struct way *way, const uint8_t *bytes, size_t length, size_t whole,
                    const struct flow_at *at, char name[32])
{
    if (!between_servers(way, bytes, length))
        return raftkv_client_message(state, w, way, bytes, length, at, name);
    if (!*way->sender) {
        snprintf(name, 32, "hello");
        hello(state, w, way, bytes, at);
        return true;
    }
    uint8_t type = bytes[RAFTKV_HEADER_TYPE];
    struct raft_message m = {.type = types[type].type, .term = raftkv_u64(bytes + RAFTKV_HEADER_TERM)};
    m.pre_vote = bytes[RAFTKV_HEADER_FLAGS] & RAFTKV_PRE_VOTE;
    m.may_disregard = m.type == RAFT_REQUEST_VOTE && !(bytes[RAFTKV_HEADER_FLAGS] & (RAFTKV_PRE_VOTE | RAFTKV_TRANSFER));
    snprintf(m.from, sizeof m.from, "%" PRIu64, raftkv_u64(bytes + RAFTKV_HEADER_FROM));
    snprintf(m.name, sizeof m.name, "%s", types[type].name);
    snprintf(name, 32, "%s", types[type].name);
    bool good = length - RAFTKV_HEADER >= types[type].least &&
                types[type].decode(w, bytes + RAFTKV_HEADER, length - RAFTKV_HEADER, &m);
    if (good)
        walk_message(w, way, at, &m, whole);
    entries_free(&m);
    return good;
}

const struct protocol_adapter adapter_raftkv = {
    .name = "raftkv", .create = create, .destroy = destroy, .probe = probe, .frame = frame, .message = message,
    .file_mine = raftkv_file_mine, .file_create = raftkv_file_create, .file_destroy = raftkv_file_destroy,
    .file_write = raftkv_file_write, .file_read = raftkv_file_write,
    .resized = raftkv_resized, .renamed = raftkv_renamed, .removed = raftkv_removed,
};
