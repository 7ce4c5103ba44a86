/* Adapter for PySyncObj 0.3 (python3-pysyncobj), the messages. Each is an int of four bytes, its length, and a
 * zlib-compressed pickle of a dict. Two nodes share one connection, which the one with the greater address opens and begins
 * with that address. With a password everything is encrypted, and nobody's here.
 * Sources: tcp_connection.py, transport.py, syncobj.py of 0.3.11.
 *
 * next_node_idx, which answers append_entries, names no term. On a connection both keep their order and each
 * append_entries is answered before the next one is looked at, so that the term of what an answer answers can be told. */
#include "protocol/pysyncobj.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/map.h"

#define LENGTH 4          /* of the length before each message */
#define LENGTH_MAX (1 << 30)
#define LINKS 4096        /* ends of connections whose questions are remembered */
#define ASKED 64          /* questions a direction */
#define ADDRESSES_MAX 4096
#define PARTS_MAX (64u << 20) /* of all entries and snapshots that come in parts */

enum asked_kind { ASKED_APPEND, ASKED_PART, ASKED_SNAPSHOT };

/* An append_entries that is to be answered. */
struct asked {
    enum asked_kind kind;
    uint64_t term, next; /* next_node_idx of a yes */
};

struct parts {
    uint8_t *data;
    size_t length, capacity;
    bool lost; /* the beginning was not seen, or it is too much */
};

/* What belongs together in one direction of a connection, as one end sees it. */
struct course {
    struct asked asked[ASKED];
    unsigned first, count;
    uint64_t term; /* of the last append_entries */
    struct parts entry, snapshot;
};

struct link {
    uint64_t key;
    char peer[RAFT_NODE_NAME]; /* who opened the connection, seen from the end that accepted it */
    struct course course[2];   /* by enum flow_way */
};

struct state {
    struct link *link[LINKS]; /* by key; of two that meet, the later stays */
    struct map named;         /* by process: has said who it is, or was told of */
    struct map addressed;     /* by key of an address: the id of who listens there is known */
    size_t parts;             /* bytes held in parts */
};

static char known;            /* a value for maps that are sets */

static void *create(void)
{
    return calloc(1, sizeof(struct state));
}

static void parts_drop(struct state *s, struct parts *p)
{
    s->parts -= p->capacity;
    free(p->data);
    *p = (struct parts){.lost = true};
}

static void link_free(struct state *s, struct link *l)
{
    for (int i = 0; l && i < 2; i++) {
        parts_drop(s, &l->course[i].entry);
        parts_drop(s, &l->course[i].snapshot);
    }
    free(l);
}

static void destroy(void *pointer)
{
    struct state *s = pointer;
    for (size_t i = 0; s && i < LINKS; i++)
        link_free(s, s->link[i]);
    if (s) {
        map_fini(&s->named);
        map_fini(&s->addressed);
    }
    free(s);
}

/* NULL: out of memory. */
static struct link *link_of(struct state *s, const struct way *way)
{
    uint64_t key = way->end && way->end->connection ? 2 * way->end->connection->id + way->end->side : 0;
    struct link **slot = &s->link[key % LINKS];
    if (*slot && (*slot)->key != key) {
        link_free(s, *slot);
        *slot = NULL;
    }
    if (!*slot && (*slot = calloc(1, sizeof **slot)))
        (*slot)->key = key;
    return *slot;
}

/* --- framing --- */

static uint32_t length_before(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A zlib header: deflate, a window of 32 KiB, and a check (RFC 1950). */
static bool zlib_header(const uint8_t *p, size_t length)
{
    return (length < 1 || p[0] == 0x78) && (length < 2 || (p[0] << 8 | p[1]) % 31 == 0);
}

/* A message whose content begins as a pickle of protocol 2 or later does. Nodes send their first with one call: what comes
 * in pieces too short for a length and a zlib header is somebody else's, who would otherwise be kept waiting for more. */
static int probe(const uint8_t *bytes, size_t length)
{
    if (length < LENGTH + 2)
        return 0;
    uint32_t size = length_before(bytes);
    size_t held = length - LENGTH < size ? length - LENGTH : size;
    if (size < 8 || size > LENGTH_MAX || !zlib_header(bytes + LENGTH, held))
        return 0;
    struct inflated i = {.stream = NULL};
    inflated_add(&i, bytes + LENGTH, held);
    int answer = i.failed ? 0 : i.length >= 2 ? i.data[0] == 0x80 && i.data[1] >= 2 && i.data[1] <= 5 : held < size ? -1 : 0;
    inflated_fini(&i);
    return answer;
}

static size_t frame(struct way *way, const uint8_t *bytes, size_t length)
{
    (void)way;
    if (length < LENGTH)
        return 0;
    uint32_t size = length_before(bytes);
    bool mine = size >= 8 && size <= LENGTH_MAX && zlib_header(bytes + LENGTH, length - LENGTH);
    return mine ? LENGTH + (size_t)size : WAY_FOREIGN;
}

/* --- who is who --- */

/* A node's id is its address, "host:port" (TCPNode). */
static bool is_address(const struct pickle_value *v, char id[RAFT_NODE_NAME])
{
    const uint8_t *text;
    size_t length, colon = 0;
    if (!pickle_bytes(v, &text, &length) || length >= RAFT_NODE_NAME)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
        colon = text[i] == ':' ? i : colon;
    }
    for (size_t i = colon + 1; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    memcpy(id, text, length);
    id[length] = '\0';
    return colon && colon + 1 < length;
}

/* The id of who is reached at this address, in the style of the id of another node: a cluster on "localhost" says so
 * of all its nodes, and else an id that is not heard is most likely the address itself. */
static void id_at(const struct flow_address *a, const char *style, char id[RAFT_NODE_NAME])
{
    char text[FLOW_ADDRESS_MAX + 16];
    flow_address_text(a, text, sizeof text);
    const char *port = strrchr(text, ':'), *host = text + (*text == '[');
    if (!port || port == text)
        *id = '\0';
    else if (!strncmp(style, "localhost:", 10))
        snprintf(id, RAFT_NODE_NAME, "localhost%s", port);
    else
        snprintf(id, RAFT_NODE_NAME, "%.*s%s", (int)(port - host - (*text == '[')), host, port);
}

static void address_put(struct state *s, struct walk *w, const char *address, const char *id, bool stated)
{
    uint64_t key = map_key(address, strlen(address));
    if (!*id || (!stated && map_get(&s->addressed, key)) || s->addressed.count >= ADDRESSES_MAX)
        return;
    map_put(&s->addressed, key, &known);
    walk_address(w, address, id);
}

/* The node that listens at the end of a connection, as far as it has not said itself who it is: the one with the smallest
 * address opens no connection, and never does. */
static void listener_named(struct state *s, struct walk *w, const struct flow_end *end, const char *style,
                           const struct flow_at *at)
{
    bool own = end->side == FLOW_ACCEPTED;
    const struct flow_address *a = own ? &end->local : &end->peer;
    char address[FLOW_ADDRESS_MAX + 16], id[RAFT_NODE_NAME];
    flow_address_text(a, address, sizeof address);
    id_at(a, style, id);
    address_put(s, w, address, id, false);
    if (own && *id && !map_get(&s->named, at->process) && map_put(&s->named, at->process, &known))
        walk_node(w, &adapter_pysyncobj, at, id);
}

/* The node at `at` says its id. It listens at the port of its id, most likely at the address it calls from. */
static void node_stated(struct state *s, struct walk *w, const struct flow_end *end, const char *id,
                        const struct flow_at *at)
{
    char address[FLOW_ADDRESS_MAX + 16] = "";
    map_put(&s->named, at->process, &known);
    walk_node(w, &adapter_pysyncobj, at, id);
    if (end)
        flow_address_text(&end->local, address, sizeof address);
    char *port = strrchr(address, ':');
    if (!port)
        return;
    snprintf(port, sizeof address - (size_t)(port - address), "%s", strrchr(id, ':'));
    address_put(s, w, address, id, true);
}

/* --- messages in parts --- */

static void parts_add(struct state *s, struct parts *p, bool first, const uint8_t *data, size_t length)
{
    if (first) {
        p->length = 0;
        p->lost = false;
    }
    if (p->lost)
        return;
    if (p->length + length > p->capacity) {
        size_t capacity = 2 * (p->length + length), more = capacity - p->capacity;
        uint8_t *grown = more <= PARTS_MAX - s->parts ? realloc(p->data, capacity) : NULL;
        if (!grown) {
            parts_drop(s, p);
            return;
        }
        p->data = grown;
        p->capacity = capacity;
        s->parts += more;
    }
    if (length)
        memcpy(p->data + p->length, data, length);
    p->length += length;
}

/* --- append_entries and its answer --- */

static void ask(struct course *c, enum asked_kind kind, uint64_t term, uint64_t next)
{
    if (c->count == ASKED) {
        c->first = (c->first + 1) % ASKED;
        c->count--;
    }
    c->asked[(c->first + c->count++) % ASKED] = (struct asked){kind, term, next};
}

/* Could it be answered so? A follower that has no entry at prevLogIdx names an index of its own choice. */
static bool answers(const struct asked *a, uint64_t next, bool success, bool reset)
{
    if (success)
        return a->kind == ASKED_SNAPSHOT || (a->kind == ASKED_APPEND && a->next == next);
    return a->kind == (reset ? ASKED_APPEND : ASKED_PART);
}

/* The term of the oldest question that this answers. What stands before it was of an old term, and is never answered. */
static uint64_t answered_term(struct course *c, uint64_t next, bool success, bool reset)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct asked *a = &c->asked[(c->first + i) % ASKED];
        if (!answers(a, next, success, reset))
            continue;
        uint64_t term = a->term;
        c->first = (c->first + i + 1) % ASKED;
        c->count -= i + 1;
        return term;
    }
    return c->term;
}

struct decoding {
    struct state *state;
    struct link *link;
    struct walk *walk;
    struct way *way;
    const struct flow_at *at;
    const struct pickle_value *dict;
    struct raft_message *message;
    struct raft_entry single; /* where there is one */
};

static bool get_number(const struct decoding *d, const char *key, uint64_t *number)
{
    return pickle_number(pickle_get(d->dict, key), number);
}

static bool decode_entries(struct decoding *d, const struct pickle_value *list)
{
    size_t n = list && list->kind == PICKLE_LIST ? list->items.count : 0;
    struct raft_entry *entry = n ? calloc(n, sizeof *entry) : NULL;
    if (!list || list->kind != PICKLE_LIST || (n && !entry))
        return false;
    d->message->entry = entry;
    d->message->entries = n;
    for (size_t i = 0; i < n; i++)
        if (!pysyncobj_entry(&entry[i], pickle_item(list, i)))
            return false;
    return true;
}

/* One entry, pickled, in pieces: all but the last are signs of life to Raft. */
static bool decode_transmission(struct decoding *d, struct course *c, const struct pickle_value *transmission)
{
    const uint8_t *data;
    size_t length;
    bool last = pickle_is_text(transmission, "finish");
    if (!pickle_bytes(pickle_get(d->dict, "data"), &data, &length))
        return false;
    parts_add(d->state, &c->entry, pickle_is_text(transmission, "start"), data, length);
    d->message->type = RAFT_OTHER;
    snprintf(d->message->name, sizeof d->message->name, "append_entries part");
    if (!last) {
        ask(c, ASKED_PART, d->message->term, 0);
        return true;
    }
    struct pickle *p = c->entry.lost ? NULL : pickle_read(c->entry.data, c->entry.length);
    if (pysyncobj_entry(&d->single, pickle_root(p))) {
        d->message->type = RAFT_APPEND_ENTRIES;
        d->message->entry = &d->single;
        d->message->entries = 1;
        ask(c, ASKED_APPEND, d->message->term, d->single.index);
    }
    pickle_free(p);
    parts_drop(d->state, &c->entry);
    return true;
}

static bool decode_append(struct decoding *d, struct course *c)
{
    struct raft_message *m = d->message;
    const struct pickle_value *transmission = pickle_get(d->dict, "transmission");
    bool known_previous = get_number(d, "prevLogIdx", &m->prev_index) && get_number(d, "prevLogTerm", &m->prev_term);
    if (transmission)
        return decode_transmission(d, c, transmission);
    if (!decode_entries(d, pickle_get(d->dict, "entries")))
        return false;
    if (!known_previous) /* the leader has no such entry: None. It is refused */
        m->type = RAFT_OTHER;
    ask(c, ASKED_APPEND, m->term, m->entries ? m->entry[m->entries - 1].index : m->prev_index + 1);
    return true;
}

/* (data, first, last) of the leader's dump, or None while it is being made. The last piece stands for InstallSnapshot. */
static bool decode_snapshot(struct decoding *d, struct course *c, const struct pickle_value *piece)
{
    const uint8_t *data;
    size_t length;
    d->message->type = RAFT_OTHER;
    snprintf(d->message->name, sizeof d->message->name, "append_entries snapshot");
    if (piece->kind != PICKLE_TUPLE) /* False: the dump could not be read */
        return piece->kind == PICKLE_NONE || piece->kind == PICKLE_BOOL;
    if (!pickle_bytes(pickle_item(piece, 0), &data, &length))
        return false;
    parts_add(d->state, &c->snapshot, pickle_is_true(pickle_item(piece, 1)), data, length);
    if (!pickle_is_true(pickle_item(piece, 2)))
        return true;
    struct inflated i = {.stream = NULL};
    if (!c->snapshot.lost)
        inflated_add(&i, c->snapshot.data, c->snapshot.length);
    struct pickle *p = i.done ? pickle_read(i.data, i.length) : NULL;
    d->message->type = RAFT_INSTALL_SNAPSHOT;
    pysyncobj_dump_last(pickle_root(p), &d->message->prev_index, &d->message->prev_term);
    ask(c, ASKED_SNAPSHOT, d->message->term, 0);
    pickle_free(p);
    inflated_fini(&i);
    parts_drop(d->state, &c->snapshot);
    return true;
}

static bool append_entries(struct decoding *d)
{
    struct course *c = &d->link->course[d->way->direction];
    const struct pickle_value *serialized = pickle_get(d->dict, "serialized");
    if (!get_number(d, "term", &d->message->term) || !get_number(d, "commit_index", &d->message->commit))
        return false;
    c->term = d->message->term;
    return pickle_get(d->dict, "prevLogIdx") ? decode_append(d, c) : serialized && decode_snapshot(d, c, serialized);
}

static bool next_node_idx(struct decoding *d)
{
    struct course *c = &d->link->course[!d->way->direction];
    const struct pickle_value *reset = pickle_get(d->dict, "reset"), *success = pickle_get(d->dict, "success");
    uint64_t next;
    if (!reset || !success || !get_number(d, "next_node_idx", &next))
        return false;
    d->message->success = pickle_is_true(success);
    d->message->term = answered_term(c, next, d->message->success, pickle_is_true(reset));
    d->message->match = next ? next - 1 : 0; /* as the leader takes it */
    if (!d->message->success && !pickle_is_true(reset))
        d->message->type = RAFT_OTHER; /* a part has arrived */
    return true;
}

/* --- the other messages --- */

static bool request_vote(struct decoding *d)
{
    return get_number(d, "term", &d->message->term) && get_number(d, "last_log_index", &d->message->prev_index) &&
           get_number(d, "last_log_term", &d->message->prev_term);
}

/* Who refuses does not answer. */
static bool response_vote(struct decoding *d)
{
    d->message->success = true;
    return get_number(d, "term", &d->message->term);
}

/* A command that a node passes on to the leader is counted by that node: the number and the process name it. */
static bool request_name(struct decoding *d, bool asks_here)
{
    const struct flow_end *end = d->way->end, *other = end && end->connection ? end->connection->end[!end->side] : NULL;
    uint32_t process = asks_here ? d->at->process : other ? other->opened.process : 0;
    uint64_t number;
    if (!get_number(d, "request_id", &number))
        return false;
    snprintf(d->message->request, sizeof d->message->request, "%" PRIu32 ".%" PRIu64, process, number);
    return true;
}

static bool apply_command(struct decoding *d)
{
    const uint8_t *command;
    size_t length;
    if (!pickle_bytes(pickle_get(d->dict, "command"), &command, &length))
        return false;
    pysyncobj_command(&d->single, command, length);
    d->message->entry = &d->single;
    d->message->entries = 1;
    request_name(d, d->way->direction == FLOW_SENT); /* nobody waits for the result of one without */
    return true;
}

/* "log_idx" is where the leader has appended the command: it promises nothing yet. */
static bool apply_command_response(struct decoding *d)
{
    uint64_t term;
    if (get_number(d, "log_idx", &d->message->match) && get_number(d, "log_term", &term))
        d->message->term = term;
    return request_name(d, d->way->direction == FLOW_RECEIVED);
}

static const struct kind {
    const char *name;
    enum raft_type type;
    bool (*decode)(struct decoding *d);
} kinds[] = {
    {"append_entries", RAFT_APPEND_ENTRIES, append_entries}, {"next_node_idx", RAFT_APPEND_ENTRIES_RESULT, next_node_idx},
    {"request_vote", RAFT_REQUEST_VOTE, request_vote}, {"response_vote", RAFT_REQUEST_VOTE_RESULT, response_vote},
    {"apply_command", RAFT_CLIENT_REQUEST, apply_command},
    {"apply_command_response", RAFT_CLIENT_RESULT, apply_command_response},
};

static bool raft_dict(struct decoding *d, const struct kind *kind, size_t whole, char name[32])
{
    struct raft_message m = {.type = kind->type};
    snprintf(m.name, sizeof m.name, "%s", kind->name);
    if (d->way->direction == FLOW_SENT)
        memcpy(m.to, d->link->peer, sizeof m.to);
    d->message = &m;
    bool good = kind->decode(d);
    snprintf(name, 32, "%s", m.name);
    if (good)
        walk_message(d->walk, d->way, d->at, &m, whole);
    if (m.entry != &d->single)
        free((void *)m.entry);
    return good;
}

/* A dict is Raft's, or the answer to the admin's "status". */
static bool dict_message(struct decoding *d, size_t whole, char name[32])
{
    const struct pickle_value *type = pickle_get(d->dict, "type");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (pickle_is_text(type, kinds[i].name))
            return raft_dict(d, &kinds[i], whole, name);
    snprintf(name, 32, "status reply");
    return !type && pickle_get(d->dict, "raft_term");
}

/* The first message of who connects: its address, "readonly" of a node that only follows. */
static bool handshake(struct decoding *d, const struct pickle_value *v, char name[32])
{
    const struct flow_end *end = d->way->end;
    snprintf(name, 32, "handshake");
    if (pickle_is_text(v, "readonly"))
        return true;
    if (!is_address(v, d->way->sender))
        return false;
    if (d->way->direction == FLOW_SENT)
        node_stated(d->state, d->walk, end, d->way->sender, d->at);
    else
        memcpy(d->link->peer, d->way->sender, sizeof d->link->peer);
    if (end)
        listener_named(d->state, d->walk, end, d->way->sender, d->at);
    return true;
}

/* Of syncobj_admin: a list of a command and its arguments; a sentence back. */
static bool admin_message(const struct pickle_value *v, char name[32])
{
    static const char *const commands[] = {"status", "add", "remove", "set_version"};
    const uint8_t *text;
    size_t length;
    snprintf(name, 32, "admin reply");
    if (pickle_bytes(v, &text, &length))
        return (length >= 7 && !memcmp(text, "SUCCESS", 7)) || (length >= 4 && !memcmp(text, "FAIL", 4));
    for (size_t i = 0; v->kind == PICKLE_LIST && i < sizeof commands / sizeof *commands; i++)
        if (pickle_is_text(pickle_item(v, 0), commands[i]))
            return snprintf(name, 32, "%s", commands[i]), true;
    return false;
}

static bool value_message(struct decoding *d, const struct pickle_value *v, size_t whole, char name[32])
{
    const struct way *way = d->way;
    bool opens = !way->messages && (!way->end || (way->end->side == FLOW_CONNECTED) == (way->direction == FLOW_SENT));
    if (v->kind == PICKLE_DICT) {
        d->dict = v;
        return dict_message(d, whole, name);
    }
    return (opens && handshake(d, v, name)) || (!way->messages && admin_message(v, name));
}

static bool message(void *state, struct walk *w, struct way *way, const uint8_t *bytes, size_t length, size_t whole,
                    const struct flow_at *at, char name[32])
{
    struct inflated i = {.stream = NULL};
    struct decoding d = {.state = state, .walk = w, .way = way, .at = at};
    if (length < whole) /* far beyond any batch of entries */
        return snprintf(name, 32, "long message"), true;
    if (!(d.link = link_of(state, way)))
        return false;
    inflated_add(&i, bytes + LENGTH, length - LENGTH);
    struct pickle *p = i.done ? pickle_read(i.data, i.length) : NULL;
    bool good = p && value_message(&d, pickle_root(p), whole, name);
    pickle_free(p);
    inflated_fini(&i);
    return good;
}

const struct protocol_adapter adapter_pysyncobj = {
    .name = "pysyncobj", .create = create, .destroy = destroy, .probe = probe, .frame = frame, .message = message,
    .file_mine = pysyncobj_file_mine, .file_create = pysyncobj_file_create, .file_destroy = pysyncobj_file_destroy,
    .file_write = pysyncobj_file_write, .file_read = pysyncobj_file_write,
};
