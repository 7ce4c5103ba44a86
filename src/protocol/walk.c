#include "protocol/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "protocol/facts.h"
#include "protocol/map.h"
#include "protocol/way.h"
#include "store/redact.h"

#define ADDRESSES_MAX 4096     /* known addresses of nodes: they come out of hostile bytes */
#define PENDING_FACTS_MAX 32768 /* of one file, waiting for its fsync: the oldest are given up */
#define READERS_MAX 8           /* of one file */
#define PROGRAMS_MAX 65536      /* processes whose names are remembered for their children */

static const struct protocol_adapter *const protocol_adapters[] = {&adapter_libraft, &adapter_ovsdb, &adapter_pysyncobj,
                                                                &adapter_raftkv, &adapter_mark, NULL};
#define ADAPTERS (sizeof protocol_adapters / sizeof *protocol_adapters - 1)

struct name {
    char text[RAFT_NODE_NAME];
};

struct connection_state {
    struct way way[2][2]; /* by side and direction */
    void *user;
};

struct pending_fact {
    uint64_t number; /* of the write that shows it */
    uint32_t process;
    struct raft_fact fact;
    char *text;
};

/* One opening of a file, by one process, that reads. */
struct reader {
    struct reader *next;
    uint32_t process;
    uint64_t opened;
    void *file; /* the adapter's */
};

struct file_state {
    const struct protocol_adapter *adapter; /* NULL: nobody's */
    void *file;                             /* the adapter's, of what is written */
    struct reader *reader;
    struct pending_fact *pending;
    size_t count, capacity;
    void *user;
};

struct walk {
    struct walk_listener on;
    struct flow *flow;
    void *state[ADAPTERS];
    struct map nodes;     /* process number to struct name */
    struct map addresses; /* key of the address to struct name */
    struct map programs;  /* process number to struct name */
    const struct flow_write *content; /* during file_write and file_read */
    struct file_state *content_state;
    bool loading;                     /* it is file_read */
    bool failed;
};

static void *adapter_state(void *context, const struct protocol_adapter *a)
{
    struct walk *w = context;
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i] == a)
            return w->state[i];
    return NULL;
}

/* --- facts --- */

void walk_fact(struct walk *w, const struct protocol_adapter *a, const struct flow_at *at, struct raft_fact *fact)
{
    fact->process = at->process;
    fact->thread = at->thread;
    fact->sequence = at->sequence;
    fact->time = at->time;
    fact->protocol = a->name;
    if (w->on.fact)
        w->on.fact(w->on.context, fact);
}

static void name_put(struct walk *w, struct map *m, uint64_t key, const char *text)
{
    struct name *n = map_get(m, key);
    if (!n) {
        n = calloc(1, sizeof *n);
        if (!n || !map_put(m, key, n)) {
            free(n);
            w->failed = true;
            return;
        }
    }
    snprintf(n->text, sizeof n->text, "%s", text);
}

static const char *name_get(const struct map *m, uint64_t key)
{
    const struct name *n = map_get(m, key);
    return n ? n->text : "";
}

void walk_node(struct walk *w, const struct protocol_adapter *a, const struct flow_at *at, const char *id)
{
    if (!strcmp(name_get(&w->nodes, at->process), id))
        return;
    name_put(w, &w->nodes, at->process, id);
    struct raft_fact fact = {.kind = RAFT_FACT_NODE};
    snprintf(fact.peer, sizeof fact.peer, "%s", id);
    walk_fact(w, a, at, &fact);
}

void walk_address(struct walk *w, const char *address, const char *id)
{
    uint64_t key = map_key(address, strlen(address));
    if (w->addresses.count < ADDRESSES_MAX || map_get(&w->addresses, key))
        name_put(w, &w->addresses, key, id);
}

/* Who is at the other end: by the address that was connected to, else by what the other end's process said of itself. */
static const char *peer_name(const struct walk *w, struct flow_end *end)
{
    char address[FLOW_ADDRESS_MAX + 16] = "";
    if (!end->peer_key) { /* once a connection, not once a message */
        if (end->side == FLOW_CONNECTED)
            flow_address_text(&end->peer, address, sizeof address);
        end->peer_key = map_key(address, strlen(address));
    }
    const char *name = name_get(&w->addresses, end->peer_key);
    struct flow_end *other = end->connection ? end->connection->end[!end->side] : NULL;
    return *name || !other ? name : name_get(&w->nodes, other->opened.process);
}

/* The same at both ends, whichever was seen first: both have one connection as soon as a byte passed. */
static uint64_t message_id(const struct way *way)
{
    const struct flow_connection *c = way->end ? way->end->connection : NULL;
    if (!c)
        return 0;
    enum flow_side sender = way->direction == FLOW_SENT ? way->end->side : !way->end->side;
    const uint64_t parts[] = {c->id, sender, way->end_offset, way->told_of};
    return map_key(parts, sizeof parts);
}

/* As snprintf would, cut to fit, at a fraction of its time: twice for each message. */
static void name_copy(char *to, size_t size, const char *from)
{
    size_t n = strnlen(from, size - 1);
    memcpy(to, from, n);
    to[n] = 0;
}

void walk_message(struct walk *w, struct way *way, const struct flow_at *at, struct raft_message *m, size_t length)
{
    bool sent = way->direction == FLOW_SENT;
    const char *own = name_get(&w->nodes, at->process);
    const char *other = *way->sender && !sent ? way->sender : way->end ? peer_name(w, way->end) : "";
    if (!*m->from)
        name_copy(m->from, sizeof m->from, sent ? (*way->sender ? way->sender : own) : other);
    if (!*m->to)
        name_copy(m->to, sizeof m->to, sent ? other : own);
    m->length = length;
    m->id = message_id(way);
    way->told_of++;
    struct raft_fact fact = {.kind = sent ? RAFT_FACT_SENT : RAFT_FACT_RECEIVED, .term = m->term, .message = m};
    walk_fact(w, way->adapter, at, &fact);
}

/* --- files --- */

/* Let go of the oldest `n`. */
static void facts_forget(struct file_state *fs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(fs->pending[i].text);
    fs->count -= n;
    if (n)
        memmove(fs->pending, fs->pending + n, fs->count * sizeof *fs->pending);
}

/* What was told when it was written is on stable storage now: all of it up to this write. What another process wrote, the one before this
 * one, may be gone with its power: what is there is what this one reads. */
static void facts_again(struct walk *w, struct file_state *fs, uint64_t number, const struct flow_at *at)
{
    size_t n = 0;
    for (; n < fs->count && fs->pending[n].number <= number; n++) {
        struct pending_fact *p = &fs->pending[n];
        p->fact.written = false;
        p->fact.again = p->fact.durable = true;
        p->fact.text = p->text;
        if (p->process == at->process)
            walk_fact(w, fs->adapter, at, &p->fact);
    }
    facts_forget(fs, n);
}

static bool pending_reserve(struct file_state *fs)
{
    if (fs->count < fs->capacity)
        return true;
    size_t capacity = fs->capacity ? 2 * fs->capacity : 16;
    struct pending_fact *pending = realloc(fs->pending, capacity * sizeof *pending);
    if (!pending)
        return false;
    fs->pending = pending;
    fs->capacity = capacity;
    return true;
}

/* Keep a fact until its file is synced. */
static void fact_pend(struct walk *w, struct file_state *fs, const struct raft_fact *fact)
{
    if (fs->count >= PENDING_FACTS_MAX)
        facts_forget(fs, fs->count / 2); /* a file that nobody syncs */
    char *text = fact->text ? strdup(fact->text) : NULL;
    if ((fact->text && !text) || !pending_reserve(fs)) {
        free(text);
        w->failed = true;
        return;
    }
    fs->pending[fs->count] = (struct pending_fact){w->content->number, w->content->done.process, *fact, text};
    fs->pending[fs->count++].fact.entry.members = NULL;
}

void walk_file_fact(struct walk *w, const struct raft_fact *shown)
{
    struct raft_fact fact = *shown;
    struct file_state *fs = w->content_state;
    fact.loaded = w->loading;
    fact.written = !w->loading;
    fact.durable = !w->loading && w->content->durable;
    walk_fact(w, fs->adapter, &w->content->done, &fact);
    if (fact.written && !fact.durable)
        fact_pend(w, fs, &fact);
}

static struct file_state *file_state(struct walk *w, struct flow_file *file)
{
    if (!file->user && !(file->user = calloc(1, sizeof(struct file_state))))
        w->failed = true;
    return file->user;
}

/* Whose file is it, by what is written to it or read from it? */
static const struct protocol_adapter *file_adapter(const struct flow_write *content)
{
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i]->file_mine && protocol_adapters[i]->file_mine(content))
            return protocol_adapters[i];
    return NULL;
}

static void *adapter_file(struct walk *w, const struct protocol_adapter *a, const struct flow_file *file)
{
    void *user = a->file_create(adapter_state(w, a), file->path);
    w->failed |= !user;
    return user;
}

void walk_file_write(struct walk *w, const struct flow_write *write)
{
    struct file_state *fs = file_state(w, write->file);
    if (fs && !fs->adapter)
        fs->adapter = file_adapter(write);
    if (fs && fs->adapter && !fs->file)
        fs->file = adapter_file(w, fs->adapter, write->file);
    if (fs && fs->file) {
        w->content = write;
        w->content_state = fs;
        fs->adapter->file_write(adapter_state(w, fs->adapter), w, fs->file, write);
        if (write->durable)
            facts_again(w, fs, write->number, &write->done);
    }
    if (w->on.written)
        w->on.written(w->on.context, write);
}

static void on_written(void *context, const struct flow_write *write)
{
    walk_file_write(context, write);
}

static void reader_free(const struct protocol_adapter *a, struct reader *r)
{
    if (r->file)
        a->file_destroy(r->file);
    free(r);
}

/* Every opening of a file by a process reads on its own. The one that read last stands first; the oldest goes. */
static struct reader *reader_of(struct walk *w, struct file_state *fs, const struct flow_read *read)
{
    struct reader **link = &fs->reader, *r;
    unsigned n = 0;
    while ((r = *link) && (r->process != read->at.process || r->opened != read->opened)) {
        if (++n == READERS_MAX && !r->next) {
            *link = NULL;
            reader_free(fs->adapter, r);
            break;
        }
        link = &r->next;
    }
    if ((r = *link)) {
        *link = r->next;
    } else if ((r = calloc(1, sizeof *r))) {
        r->process = read->at.process;
        r->opened = read->opened;
        r->file = adapter_file(w, fs->adapter, read->file);
    } else {
        w->failed = true;
        return NULL;
    }
    r->next = fs->reader;
    fs->reader = r;
    return r;
}

void walk_file_read(struct walk *w, const struct flow_read *read)
{
    const struct flow_write content = {.file = read->file, .offset = read->offset, .data = read->data,
                                       .length = read->length, .begun = read->at, .done = read->at,
                                       .read_only = read->read_only};
    struct file_state *fs = read->file->user;
    const struct protocol_adapter *a = fs && fs->adapter ? fs->adapter : file_adapter(&content);
    if (!a || !a->file_read || !(fs = file_state(w, read->file)))
        return;
    fs->adapter = a;
    struct reader *r = reader_of(w, fs, read);
    if (!r || !r->file)
        return;
    w->content = &content;
    w->content_state = fs;
    w->loading = true;
    a->file_read(adapter_state(w, a), w, r->file, &content);
    w->loading = false;
}

static void on_read(void *context, const struct flow_read *read)
{
    walk_file_read(context, read);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "write s1.db: 10 of 4096 bytes", "fsync s1.db: EIO". */
static void failure_text(const struct flow_failure *failure, char *out, size_t size)
{
    const struct call_info *call = call_info(failure->call);
    const char *error = failure->result < 0 ? strerrorname_np((int)-failure->result) : NULL;
    int used = snprintf(out, size, "%s %s: ", call ? call->name : "?", base_name(failure->path));
    if (used < 0 || (size_t)used >= size)
        return;
    if (failure->result >= 0)
        snprintf(out + used, size - (size_t)used, "%lld of %zu bytes", (long long)failure->result, failure->wanted);
    else if (error)
        snprintf(out + used, size - (size_t)used, "%s", error);
    else
        snprintf(out + used, size - (size_t)used, "error %lld", (long long)-failure->result);
}

/* A file that was never written to is known by its name or by what should have been written. */
static void on_failed(void *context, const struct flow_failure *failure)
{
    struct walk *w = context;
    char text[512];
    struct flow_file unopened = {.path = (char *)failure->path}, *file = failure->file ? failure->file : &unopened;
    const struct flow_write wanted = {.file = file, .offset = failure->offset, .data = failure->data,
                                      .length = failure->length};
    const struct file_state *fs = file->user;
    const struct protocol_adapter *a = fs && fs->adapter ? fs->adapter : file_adapter(&wanted);
    if (!a)
        return;
    failure_text(failure, text, sizeof text);
    struct raft_fact fact = {.kind = RAFT_FACT_WRITE_FAILED, .text = text};
    walk_fact(w, a, &failure->at, &fact);
}

static void on_synced(void *context, struct flow_file *file, uint64_t number, const struct flow_at *at)
{
    struct walk *w = context;
    struct file_state *fs = file->user;
    if (fs && fs->count)
        facts_again(w, fs, number, at);
    if (w->on.synced)
        w->on.synced(w->on.context, file, number, at);
}

static void on_file_freed(void *context, struct flow_file *file)
{
    struct walk *w = context;
    struct file_state *fs = file->user;
    if (!fs)
        return;
    if (w->on.file_freed)
        w->on.file_freed(w->on.context, file);
    if (fs->file)
        fs->adapter->file_destroy(fs->file);
    for (struct reader *r = fs->reader, *next; r; r = next) {
        next = r->next;
        reader_free(fs->adapter, r);
    }
    facts_forget(fs, fs->count);
    free(fs->pending);
    free(fs);
    file->user = NULL;
}

void walk_test_file_free(struct walk *w, struct flow_file *file)
{
    on_file_freed(w, file);
}

static void on_resized(void *context, struct flow_file *file, uint64_t size, const struct flow_at *at)
{
    struct walk *w = context;
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i]->resized)
            protocol_adapters[i]->resized(w->state[i], w, file->path, size, at);
}

void walk_test_resized(struct walk *w, const char *path, uint64_t size, const struct flow_at *at)
{
    struct flow_file file = {.path = (char *)path};
    on_resized(w, &file, size, at);
}

static void on_renamed(void *context, const char *from, const char *to, const struct flow_at *at)
{
    struct walk *w = context;
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i]->renamed)
            protocol_adapters[i]->renamed(w->state[i], w, from, to, at);
}

void walk_test_renamed(struct walk *w, const char *from, const char *to, const struct flow_at *at)
{
    on_renamed(w, from, to, at);
}

static void on_removed(void *context, const char *path, const struct flow_at *at)
{
    struct walk *w = context;
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i]->removed)
            protocol_adapters[i]->removed(w->state[i], w, path, at);
}

static void on_listed(void *context, const char *directory, struct trace_bytes dirents, const struct flow_at *at)
{
    struct walk *w = context;
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i]->listed)
            protocol_adapters[i]->listed(w->state[i], w, directory, dirents, at);
}

static void on_file_read(void *context, const char *path, struct trace_bytes bytes, const struct flow_at *at)
{
    struct walk *w = context;
    if (w->on.file_read)
        w->on.file_read(w->on.context, path, bytes, at);
}

void **walk_file_user(struct walk *w, struct flow_file *file)
{
    struct file_state *fs = file_state(w, file);
    return fs ? &fs->user : NULL;
}

/* --- connections --- */

static void on_opened(void *context, struct flow_connection *c, struct flow_end *end)
{
    struct walk *w = context;
    if (!c->user && !(c->user = calloc(1, sizeof(struct connection_state)))) {
        w->failed = true;
        return;
    }
    struct connection_state *cs = c->user;
    for (int i = 0; i < 2; i++) {
        cs->way[end->side][i].end = end;
        cs->way[end->side][i].direction = i;
        cs->way[end->side][i].given_up = w->on.sent_only && i == FLOW_RECEIVED;
    }
    if (w->on.opened)
        w->on.opened(w->on.context, c, end);
}

static void tell_message(void *context, struct way *way, uint64_t end_offset, size_t length, const char *name,
                         const struct flow_at *at)
{
    struct walk *w = context;
    if (w->on.message && way->end)
        w->on.message(w->on.context, way->end, way->direction, end_offset, length, name, at);
}

void walk_way_bytes(struct walk *w, struct way *way, const uint8_t *data, size_t length, const struct flow_at *at)
{
    struct way_input in = {w, w, protocol_adapters, at, adapter_state, tell_message, 0};
    way_bytes(&in, way, data, length);
}

static void on_bytes(void *context, struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length,
                     const struct flow_at *at)
{
    struct walk *w = context;
    struct connection_state *cs = end->connection->user;
    if (w->on.bytes)
        w->on.bytes(w->on.context, end, way, data, length);
    if (cs)
        walk_way_bytes(w, &cs->way[end->side][way], data, length, at);
}

static void on_unsent(void *context, struct flow_end *end, size_t length)
{
    struct walk *w = context;
    struct connection_state *cs = end->connection->user;
    if (cs)
        way_unsent(&cs->way[end->side][FLOW_SENT], length);
    if (w->on.unsent)
        w->on.unsent(w->on.context, end);
}

static void on_closed(void *context, struct flow_end *end, const struct flow_at *at)
{
    struct walk *w = context;
    if (w->on.closed)
        w->on.closed(w->on.context, end, at);
}

static void on_freed(void *context, struct flow_connection *c)
{
    struct walk *w = context;
    struct connection_state *cs = c->user;
    if (!cs)
        return;
    if (w->on.freed)
        w->on.freed(w->on.context, c, cs->user);
    for (int i = 0; i < 4; i++)
        way_fini(&cs->way[i / 2][i % 2]);
    free(cs);
    c->user = NULL;
}

void **walk_connection_user(struct flow_connection *c)
{
    struct connection_state *cs = c->user;
    return cs ? &cs->user : NULL;
}

struct way *walk_test_way(struct walk *w, enum flow_way direction)
{
    struct way *way = calloc(1, sizeof *way);
    (void)w;
    if (way)
        way->direction = direction;
    return way;
}

void walk_test_way_free(struct way *way)
{
    if (way)
        way_fini(way);
    free(way);
}

/* --- processes and faults --- */

static const struct protocol_adapter process = {.name = "process"};

/* A forked child is the program that its parent is. */
static void on_start(struct walk *w, const struct trace_event *event, const struct flow_at *at)
{
    struct trace_bytes map = event->field_bytes[0];
    struct unpack path, parent;
    struct raft_fact fact = {.kind = RAFT_FACT_START, .text = ""};
    char program[4096] = "";
    if (trace_map_find(map, "exe", &path) && path.type == UNPACK_STR)
        snprintf(program, sizeof program, "%.*s", (int)(path.length < sizeof program ? path.length : sizeof program),
                 (const char *)path.data);
    else if (trace_map_find(map, "parent", &parent) && parent.type == UNPACK_INT)
        snprintf(program, sizeof program, "%s", name_get(&w->programs, (uint32_t)parent.value));
    if (w->programs.count < PROGRAMS_MAX)
        name_put(w, &w->programs, at->process, base_name(program));
    fact.text = base_name(program);
    walk_fact(w, &process, at, &fact);
}

static void on_fault(struct walk *w, const struct trace_event *event, const struct flow_at *at)
{
    struct trace_bytes what = event->field_bytes[0], peer = event->field_bytes[2];
    char text[64];
    struct raft_fact fact = {.kind = RAFT_FACT_FAULT, .text = text};
    snprintf(text, sizeof text, "%.*s", (int)(what.length < sizeof text ? what.length : sizeof text),
             what.data ? (const char *)what.data : "");
    snprintf(fact.peer, sizeof fact.peer, "%.*s", (int)(peer.length < sizeof fact.peer ? peer.length : sizeof fact.peer),
             peer.data ? (const char *)peer.data : "");
    walk_fact(w, &process, at, &fact);
}

/* --- the walk --- */

bool walk_wants(int32_t code)
{
    return code == TRACE_MARK || code == TRACE_FAULT || flow_wants(code);
}

bool walk_event(struct walk *w, const struct trace_event *event)
{
    struct flow_at at = flow_at(event);
    for (size_t i = 0; i < ADAPTERS && event->code == TRACE_MARK; i++)
        if (protocol_adapters[i]->mark)
            protocol_adapters[i]->mark(w->state[i], w, event, &at);
    if (event->code == TRACE_START)
        on_start(w, event, &at);
    else if (event->code == TRACE_FAULT)
        on_fault(w, event, &at);
    return flow_event(w->flow, event) && !w->failed;
}

struct walk *walk_create(const struct walk_listener *listener)
{
    struct walk *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    const struct flow_handler handler = {
        .context = w, .opened = on_opened, .bytes = on_bytes, .unsent = on_unsent, .closed = on_closed, .freed = on_freed,
        .written = on_written, .synced = on_synced, .resized = on_resized, .renamed = on_renamed, .removed = on_removed, .listed = on_listed,
        .file_freed = on_file_freed, .file_read = on_file_read,
        .read = on_read, .failed = on_failed,
    };
    w->on = *listener;
    bool good = (w->flow = flow_create(&handler)) != NULL;
    for (size_t i = 0; i < ADAPTERS && good; i++)
        if (protocol_adapters[i]->create)
            good = (w->state[i] = protocol_adapters[i]->create()) != NULL;
    if (good)
        return w;
    walk_destroy(w);
    return NULL;
}

static void names_fini(struct map *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        free(m->slot[i].value);
    map_fini(m);
}

void walk_destroy(struct walk *w)
{
    if (!w)
        return;
    flow_destroy(w->flow);
    for (size_t i = 0; i < ADAPTERS; i++)
        if (protocol_adapters[i]->destroy)
            protocol_adapters[i]->destroy(w->state[i]);
    names_fini(&w->nodes);
    names_fini(&w->addresses);
    names_fini(&w->programs);
    free(w);
}

/* --- for adapters --- */

void entry_text(char *out, size_t size, const void *content, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = content;
    size_t text = 0, n = 0;
    while (length && !p[length - 1])
        length--; /* padding */
    while (text < length && p[text] >= 0x20 && p[text] < 0x7f)
        text++;
    bool hex = text < length && text < size - 1;
    size_t fit = hex ? (size - 1) / 2 : size - 1;
    bool cut = length > fit;
    if (cut)
        fit -= hex ? 2 : 3;
    for (size_t i = 0; i < length && i < fit; i++) {
        if (hex)
            out[n++] = digits[p[i] >> 4];
        out[n++] = hex ? digits[p[i] & 15] : (char)p[i];
    }
    memcpy(out + n, cut ? "..." : "", cut ? 4 : 1);
}

void entry_content(struct raft_entry *entry, char type, const void *content, size_t length)
{
    entry->type = type;
    entry->digest = XXH3_64bits_withSeed(content, length, (uint64_t)(uint8_t)type);
    entry_text(entry->text, sizeof entry->text, content, length);
}

/* --- protocol.h --- */

const char *protocol_name(const char *name)
{
    for (size_t i = 0; i < ADAPTERS; i++)
        if (!strcmp(protocol_adapters[i]->name, name))
            return protocol_adapters[i]->name;
    return strcmp(process.name, name) ? "" : process.name;
}

bool protocol_walk(struct store *s, raft_fact_fn fn, void *context, struct drd_error *e)
{
    if (redact_is(s))
        return facts_walk(s, fn, context, e);
    struct walk_listener listener = {.context = context, .fact = fn};
    struct trace_event event;
    struct walk *w = walk_create(&listener);
    struct timeline *t = w ? timeline_open(s, e) : NULL;
    int more = t ? 1 : -1;
    if (!w)
        error_set(e, DRD_EXIT_FATAL, "out of memory");
    while (more > 0 && (more = timeline_next(t, &event, e)) > 0)
        if (walk_wants(event.code) && !walk_event(w, &event)) {
            error_set(e, DRD_EXIT_FATAL, "out of memory");
            more = -1;
        }
    timeline_close(t);
    walk_destroy(w);
    return more == 0;
}
