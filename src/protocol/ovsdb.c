/* Adapter for Open vSwitch's clustered database (ovsdb-server): JSON-RPC 1.0 notifications, one object after another,
 * and the text records of its log file. Sources: ovsdb/raft-rpc.c, raft.c and log.c of Open vSwitch 3.1;
 * ovsdb(5), ovsdb(7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "protocol/adapter.h"
#include "protocol/map.h"

#define MAGIC "OVSDB CLUSTER "
#define REQUESTS_MAX 65536 /* that wait for their results */
#define FILES_MAX 4096    /* whose terms as read back are remembered */
#define HEADER_MAX 128 /* "OVSDB CLUSTER <length> <40 hex digits>\n" is far shorter */

/* --- JSON --- */

static const char *get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static uint64_t get_number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void copy_name(char out[RAFT_NODE_NAME], const char *text)
{
    snprintf(out, RAFT_NODE_NAME, "%s", text);
}

/* The same bytes for equal values, whatever the order of the keys on the wire or on disk. */
static char *canonical(const json_t *value)
{
    return value ? json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
}

/* --- entries --- */

/* What changed, for people: the first table of a transaction and its first row. Data is [schema or null, tables]. */
static void command_text(const json_t *data, char *out, size_t size)
{
    const char *table = NULL;
    const json_t *tables = json_array_get(data, 1), *row = NULL;
    void *i = json_object_iter((json_t *)tables);
    for (; i; i = json_object_iter_next((json_t *)tables, i))
        if (json_object_iter_key(i)[0] != '_') {
            table = json_object_iter_key(i);
            row = json_object_iter_value(json_object_iter(json_object_iter_value(i)));
            break;
        }
    char line[256] = "", *text = canonical(table ? row : data);
    snprintf(line, sizeof line, "%s%s%s", table ? table : "", table ? " " : "", text ? text : "");
    free(text);
    entry_text(out, size, line, strlen(line));
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The keys of an object in one order: on the wire and on disk they stand in another. Free the array; NULL: no memory. */
static const char **keys_sorted(const json_t *object, size_t *count)
{
    const char **key = calloc(json_object_size(object) + 1, sizeof *key);
    *count = 0;
    for (void *i = json_object_iter((json_t *)object); key && i; i = json_object_iter_next((json_t *)object, i))
        key[(*count)++] = json_object_iter_key(i);
    if (key && *count)
        qsort(key, *count, sizeof *key, by_text);
    return key;
}

/* Servers are voting members; a server that joins is none of them before the configuration has it. "id id id", or with
 * addresses, for people. malloc'ed. */
static char *servers_text(const json_t *servers, bool addresses)
{
    char *out = NULL;
    size_t length = 0, count;
    const char **key = keys_sorted(servers, &count);
    FILE *f = key ? open_memstream(&out, &length) : NULL;
    for (size_t i = 0; f && i < count; i++)
        fprintf(f, "%s%s%s%s", i ? " " : "", key[i], addresses ? " " : "", addresses ? get_text(servers, key[i]) : "");
    if (f)
        fclose(f);
    free(key);
    return out;
}

static void members_text(const json_t *servers, char *out, size_t size)
{
    char *text = servers_text(servers, true);
    entry_text(out, size, text ? text : "", text ? strlen(text) : 0);
    free(text);
}

/* Who is where: "tcp:127.0.0.1:6643". */
static void servers_known(struct walk *w, const json_t *servers)
{
    for (void *i = json_object_iter((json_t *)servers); i; i = json_object_iter_next((json_t *)servers, i)) {
        const char *address = json_string_value(json_object_iter_value(i)), *colon = address ? strchr(address, ':') : NULL;
        if (colon)
            walk_address(w, colon + 1, json_object_iter_key(i));
    }
}

/* Fills in entry->members, which is the caller's to free. */
static void entry_fill(struct walk *w, struct raft_entry *entry, const json_t *e)
{
    const json_t *data = json_object_get(e, "data"), *servers = json_object_get(e, "servers");
    json_t *content = json_object();
    static const char *const keys[] = {"data", "eid", "servers", "election_timer"};
    for (size_t i = 0; content && i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(e, keys[i]))
            json_object_set(content, keys[i], json_object_get(e, keys[i]));
    char *text = canonical(content);
    entry_content(entry, data ? 'c' : servers ? 'm' : 'n', text ? text : "", text ? strlen(text) : 0);
    free(text);
    json_decref(content);
    if (json_is_object(servers)) {
        entry->members = servers_text(servers, false);
        servers_known(w, servers);
    }
    if (data)
        command_text(data, entry->text, sizeof entry->text);
    else if (servers)
        members_text(servers, entry->text, sizeof entry->text);
    else
        snprintf(entry->text, sizeof entry->text, "%s", json_object_get(e, "election_timer") ? "election_timer" : "no-op");
}

/* --- the wire --- */

struct kind {
    const char *name;
    enum raft_type type;
};

static const struct kind kinds[] = {
    {"append_request", RAFT_APPEND_ENTRIES}, {"append_reply", RAFT_APPEND_ENTRIES_RESULT},
    {"vote_request", RAFT_REQUEST_VOTE}, {"vote_reply", RAFT_REQUEST_VOTE_RESULT},
    {"install_snapshot_request", RAFT_INSTALL_SNAPSHOT}, {"install_snapshot_reply", RAFT_INSTALL_SNAPSHOT_RESULT},
    {"become_leader", RAFT_TIMEOUT_NOW}, {"hello_request", RAFT_OTHER}, {"add_server_request", RAFT_OTHER},
    {"add_server_reply", RAFT_OTHER}, {"remove_server_request", RAFT_OTHER}, {"remove_server_reply", RAFT_OTHER},
    {"execute_command_request", RAFT_OTHER}, {"execute_command_reply", RAFT_OTHER},
};

static const struct kind *kind_find(const char *method)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].name, method))
            return &kinds[i];
    return NULL;
}

static int probe(const uint8_t *bytes, size_t length)
{
    static const char *const first[] = {"{\"id\":", "{\"method\":", "{\"params\":", "{\"error\":", "{\"result\":"};
    bool more = false;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        size_t n = strlen(first[i]);
        if (!memcmp(bytes, first[i], length < n ? length : n)) {
            if (length >= n)
                return 1;
            more = true;
        }
    }
    return more ? -1 : 0;
}

enum { SCAN_PLACE, SCAN_STATE }; /* in way->scan; the state is the depth times 4, plus 1 in a string, plus 2 after a \ */

/* The end of the object: where its braces balance, outside of strings. */
static size_t frame(struct way *way, const uint8_t *bytes, size_t length)
{
    uint64_t place = way->scan[SCAN_PLACE], depth = way->scan[SCAN_STATE] >> 2;
    bool string = way->scan[SCAN_STATE] & 1, escape = way->scan[SCAN_STATE] & 2;
    if (!place && bytes[0] != '{')
        return bytes[0] == '\n' || bytes[0] == ' ' ? 1 : WAY_FOREIGN;
    for (; place < length; place++) {
        uint8_t c = bytes[place];
        if (escape)
            escape = false;
        else if (string)
            escape = c == '\\', string = c != '"';
        else if (c == '"')
            string = true;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return place + 1;
    }
    way->scan[SCAN_PLACE] = place;
    way->scan[SCAN_STATE] = depth << 2 | (string ? 1 : 0) | (escape ? 2 : 0);
    return 0;
}

static void entries_free(struct raft_message *m)
{
    for (size_t i = 0; i < m->entries; i++)
        free((void *)m->entry[i].members);
    free((void *)m->entry);
}

static void decode_entries(struct walk *w, const json_t *log, struct raft_message *m)
{
    size_t n = json_array_size(log);
    struct raft_entry *entry = n ? calloc(n, sizeof *entry) : NULL;
    for (size_t i = 0; entry && i < n; i++) {
        const json_t *e = json_array_get(log, i);
        entry[i].index = m->prev_index + 1 + i;
        entry[i].term = get_number(e, "term");
        entry_fill(w, &entry[i], e);
    }
    m->entries = entry ? n : 0;
    m->entry = entry;
}

static void decode_append(struct walk *w, const json_t *args, struct raft_message *m)
{
    m->prev_index = get_number(args, "prev_log_index");
    m->prev_term = get_number(args, "prev_log_term");
    if (m->type == RAFT_APPEND_ENTRIES) {
        m->commit = get_number(args, "leader_commit");
        decode_entries(w, json_object_get(args, "log"), m);
        return;
    }
    m->success = !strcmp(get_text(args, "result"), "OK");
    uint64_t end = get_number(args, "log_end");
    m->match = m->success ? m->prev_index + get_number(args, "n_entries") : end ? end - 1 : 0;
}

/* The configuration as of the snapshot, as an entry. */
static void decode_snapshot(struct walk *w, const json_t *args, struct raft_message *m)
{
    const json_t *servers = json_object_get(args, "last_servers");
    m->prev_index = get_number(args, "last_index");
    m->prev_term = get_number(args, "last_term");
    m->match = m->prev_index;
    m->success = m->type == RAFT_INSTALL_SNAPSHOT_RESULT;
    struct raft_entry *entry = json_is_object(servers) ? calloc(1, sizeof *entry) : NULL;
    if (!entry)
        return;
    *entry = (struct raft_entry){.index = m->prev_index, .term = m->prev_term, .type = 'm',
                                  .members = servers_text(servers, false)};
    members_text(servers, entry->text, sizeof entry->text);
    servers_known(w, servers);
    m->entry = entry;
    m->entries = 1;
}

static void decode_vote(const json_t *args, struct raft_message *m)
{
    m->pre_vote = json_is_true(json_object_get(args, "is_prevote"));
    if (m->type == RAFT_REQUEST_VOTE) {
        m->prev_index = get_number(args, "last_log_index");
        m->prev_term = get_number(args, "last_log_term");
        m->may_disregard = !m->pre_vote && !json_is_true(json_object_get(args, "leadership_transfer"));
        return;
    }
    /* A refusal names whom the sender voted for instead. */
    copy_name(m->vote, get_text(args, "vote"));
    m->success = *m->to && !strcmp(m->vote, m->to);
}

static void decode_args(struct walk *w, const json_t *args, struct raft_message *m)
{
    copy_name(m->from, get_text(args, "from"));
    copy_name(m->to, get_text(args, "to"));
    m->term = get_number(args, "term");
    switch (m->type) {
    case RAFT_APPEND_ENTRIES: case RAFT_APPEND_ENTRIES_RESULT:
        decode_append(w, args, m);
        break;
    case RAFT_REQUEST_VOTE: case RAFT_REQUEST_VOTE_RESULT:
        decode_vote(args, m);
        break;
    case RAFT_INSTALL_SNAPSHOT: case RAFT_INSTALL_SNAPSHOT_RESULT:
        decode_snapshot(w, args, m);
        break;
    default:
        break;
    }
}

static void raft_notification(struct walk *w, struct way *way, const json_t *object, const struct kind *kind,
                              const struct flow_at *at, size_t whole)
{
    const json_t *args = json_array_get(json_object_get(object, "params"), 0);
    struct raft_message m = {.type = kind->type};
    snprintf(m.name, sizeof m.name, "%s", kind->name);
    decode_args(w, args, &m);
    if (*m.from)
        snprintf(way->sender, sizeof way->sender, "%s", m.from);
    if (*m.from && way->direction == FLOW_SENT)
        walk_node(w, &adapter_ovsdb, at, m.from);
    walk_message(w, way, at, &m, whole);
    entries_free(&m);
}

/* --- clients: JSON-RPC "transact" over TCP or a unix socket, RFC 7047 --- */

/* A transaction whose result was not seen yet, at one end of its connection. */
struct request {
    bool read;
    char key[48];
};

/* What a process read back from a log file that it may go on with. */
struct resumed {
    uint32_t process;
    uint64_t term;
};

struct state {
    struct map requests; /* by connection, end and JSON id */
    struct map resumed;  /* by path of the file; of the process that read it last */
};

static void *create(void)
{
    return calloc(1, sizeof(struct state));
}

static void map_forget(struct map *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        free(m->slot[i].value);
    map_fini(m);
    *m = (struct map){NULL, 0, 0};
}

static void destroy(void *pointer)
{
    struct state *s = pointer;
    if (!s)
        return;
    map_forget(&s->requests);
    map_forget(&s->resumed);
    free(s);
}

/* Connection and JSON id: a client numbers its requests on each connection anew. */
static void request_name(const struct way *way, const json_t *object, char out[48])
{
    const struct flow_connection *c = way->end ? way->end->connection : NULL;
    char *id = canonical(json_object_get(object, "id"));
    snprintf(out, 48, "%llu/", c ? (unsigned long long)c->id : 0);
    if (id && strlen(out) + strlen(id) < 48)
        strcat(out, id);
    else if (id)
        snprintf(out + strlen(out), 48 - strlen(out), "%016llx", (unsigned long long)map_key(id, strlen(id)));
    free(id);
}

static uint64_t request_key(const struct way *way, const char *name)
{
    char key[64];
    int length = snprintf(key, sizeof key, "%d %s", way->end ? (int)way->end->side : 0, name);
    return map_key(key, (size_t)length);
}

static bool operation_reads(const json_t *operation)
{
    static const char *const reads[] = {"select", "wait", "comment", "assert", "abort"};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        if (!strcmp(get_text(operation, "op"), reads[i]))
            return true;
    return false;
}

/* Parameters are the name of the database and the operations. The key is the table they are about, if it is one. */
static void operations_look(const json_t *params, struct request *r)
{
    const char *table = "";
    r->read = true;
    for (size_t i = 1; i < json_array_size(params); i++) {
        const json_t *operation = json_array_get(params, i);
        const char *name = get_text(operation, "table");
        r->read &= operation_reads(operation);
        if (*name && *table && strcmp(name, table))
            return;
        table = *name ? name : table;
    }
    snprintf(r->key, sizeof r->key, "%s", table);
}

static void request_put(struct state *s, uint64_t key, const struct request *r)
{
    struct request *copy = malloc(sizeof *copy);
    if (s->requests.count >= REQUESTS_MAX)
        map_forget(&s->requests); /* clients that are gone without an answer */
    if (!copy)
        return;
    *copy = *r;
    free(map_remove(&s->requests, key));
    if (!map_put(&s->requests, key, copy))
        free(copy);
}

static void client_request(struct state *s, struct walk *w, struct way *way, const json_t *object, const struct flow_at *at,
                           size_t whole)
{
    struct raft_message m = {.type = RAFT_CLIENT_REQUEST, .name = "transact"};
    struct request r = {.read = false};
    const json_t *params = json_object_get(object, "params");
    const char *database = json_string_value(json_array_get(params, 0));
    if (!database || *database == '_')
        return; /* "_Server": each server's own */
    operations_look(params, &r);
    request_name(way, object, m.request);
    request_put(s, request_key(way, m.request), &r);
    m.read = r.read;
    memcpy(m.key, r.key, sizeof m.key);
    walk_message(w, way, at, &m, whole);
}

/* One result for each operation; after one that failed, an error and nothing more (RFC 7047, 4.1.3). */
static bool result_good(const json_t *object)
{
    const json_t *result = json_object_get(object, "result"), *error = json_object_get(object, "error");
    bool good = json_is_array(result) && (!error || json_is_null(error));
    for (size_t i = 0; good && i < json_array_size(result); i++)
        good = !json_object_get(json_array_get(result, i), "error");
    return good;
}

static void client_result(struct state *s, struct walk *w, struct way *way, const json_t *object, const struct flow_at *at,
                          size_t whole)
{
    struct raft_message m = {.type = RAFT_CLIENT_RESULT, .name = "transact_reply"};
    request_name(way, object, m.request);
    struct request *r = map_remove(&s->requests, request_key(way, m.request));
    if (!r)
        return; /* of something else than a transaction */
    char *text = r->read ? canonical(json_object_get(object, "result")) : NULL;
    m.success = result_good(object);
    m.read = r->read;
    m.value = text ? map_key(text, strlen(text)) : 0;
    memcpy(m.key, r->key, sizeof m.key);
    free(text);
    free(r);
    walk_message(w, way, at, &m, whole);
}

static bool message(void *state, struct walk *w, struct way *way, const uint8_t *bytes, size_t length, size_t whole,
                    const struct flow_at *at, char name[32])
{
    if (length == 1 && bytes[0] != '{')
        return snprintf(name, 32, "blank"), true;
    json_t *object = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
    if (!object)
        return false;
    const char *method = get_text(object, "method");
    const struct kind *kind = kind_find(method);
    entry_text(name, 32, *method ? method : "reply", *method ? strlen(method) : 5);
    if (kind)
        raft_notification(w, way, object, kind, at, whole);
    else if (!strcmp(method, "transact"))
        client_request(state, w, way, object, at, whole);
    else if (!*method && json_object_get(object, "result"))
        client_result(state, w, way, object, at, whole);
    json_decref(object);
    return true;
}

/* --- the log file --- */

struct file {
    uint8_t *held; /* a record not complete */
    size_t length, capacity;
    uint64_t next; /* offset where the next byte must come */
    uint64_t term; /* of the last record that had one */
    uint32_t writer; /* the process that wrote last */
};

static bool file_mine(const struct flow_write *w)
{
    return w->length >= strlen(MAGIC) && !memcmp(w->data, MAGIC, strlen(MAGIC));
}

static void *file_create(void *state, const char *path)
{
    (void)state, (void)path;
    return calloc(1, sizeof(struct file));
}

static void file_destroy(void *pointer)
{
    struct file *f = pointer;
    free(f->held);
    free(f);
}

static void configuration_fact(struct walk *w, uint64_t index, const json_t *servers)
{
    char *text = json_is_object(servers) ? servers_text(servers, false) : NULL;
    struct raft_fact fact = {.kind = RAFT_FACT_CONFIGURATION, .index = index, .text = text};
    if (text)
        walk_file_fact(w, &fact);
    if (text)
        servers_known(w, servers);
    free(text);
}

static void header_facts(struct walk *w, const json_t *record)
{
    struct raft_fact node = {.kind = RAFT_FACT_NODE};
    copy_name(node.peer, get_text(record, "server_id"));
    walk_file_fact(w, &node);
    if (!json_object_get(record, "prev_index"))
        return;
    struct raft_fact snapshot = {.kind = RAFT_FACT_SNAPSHOT, .index = get_number(record, "prev_index"),
                                 .term = get_number(record, "prev_term")};
    walk_file_fact(w, &snapshot);
    configuration_fact(w, snapshot.index, json_object_get(record, "prev_servers"));
}

/* Any record with a higher term says that it is the current one now (raft_apply_record). */
static void term_fact(struct walk *w, struct file *f, uint64_t term)
{
    struct raft_fact fact = {.kind = RAFT_FACT_TERM, .term = term};
    if (term > f->term)
        walk_file_fact(w, &fact);
    f->term = term > f->term ? term : f->term;
}

static void record_facts(struct walk *w, struct file *f, const json_t *record)
{
    struct raft_fact fact = {.term = get_number(record, "term")};
    if (json_object_get(record, "server_id")) {
        header_facts(w, record);
    } else if (json_object_get(record, "vote")) {
        term_fact(w, f, fact.term);
        fact.kind = RAFT_FACT_VOTE;
        copy_name(fact.peer, get_text(record, "vote"));
        walk_file_fact(w, &fact);
    } else if (json_object_get(record, "commit_index")) {
        fact.kind = RAFT_FACT_COMMIT;
        fact.index = get_number(record, "commit_index");
        walk_file_fact(w, &fact);
    } else if (json_object_get(record, "index")) {
        term_fact(w, f, fact.term);
        fact.kind = RAFT_FACT_APPEND;
        fact.index = fact.entry.index = get_number(record, "index");
        fact.entry.term = fact.term;
        entry_fill(w, &fact.entry, record);
        walk_file_fact(w, &fact);
        free((void *)fact.entry.members);
        configuration_fact(w, fact.index, json_object_get(record, "servers"));
    } else if (json_object_get(record, "term") && !json_object_get(record, "note")) {
        term_fact(w, f, fact.term);
    }
}

/* Length of the record at the start of the bytes held, 0: more are needed, SIZE_MAX: this is no record. */
static size_t record_frame(const struct file *f, size_t *body)
{
    size_t magic = strlen(MAGIC), n = f->length < HEADER_MAX ? f->length : HEADER_MAX;
    if (memcmp(f->held, MAGIC, n < magic ? n : magic))
        return SIZE_MAX;
    const uint8_t *newline = memchr(f->held, '\n', n);
    if (!newline)
        return n < HEADER_MAX ? 0 : SIZE_MAX;
    uint64_t length = 0;
    for (const uint8_t *p = f->held + magic; *p >= '0' && *p <= '9' && length <= WAY_MESSAGE_MAX; p++)
        length = 10 * length + (*p - '0');
    if (!length || length > WAY_MESSAGE_MAX)
        return SIZE_MAX;
    *body = (size_t)(newline + 1 - f->held);
    return *body + length <= f->length ? *body + (size_t)length : 0;
}

static bool file_hold(struct file *f, const uint8_t *data, size_t length)
{
    if (f->length + length > f->capacity) {
        size_t capacity = 2 * (f->length + length);
        uint8_t *held = realloc(f->held, capacity);
        if (!held)
            return false;
        f->held = held;
        f->capacity = capacity;
    }
    memcpy(f->held + f->length, data, length);
    f->length += length;
    return true;
}

/* Facts of the records that are complete now. */
static void file_records(struct walk *w, struct file *f)
{
    size_t used = 0, n, body;
    uint8_t *base = f->held;
    size_t total = f->length;
    while (f->length && (n = record_frame(f, &body)) != 0) {
        if (n == SIZE_MAX) { /* not a record: wait for bytes that start with one */
            used = total;
            break;
        }
        json_t *record = json_loadb((const char *)f->held + body, n - body, JSON_REJECT_DUPLICATES, NULL);
        if (record)
            record_facts(w, f, record);
        json_decref(record);
        used += n;
        f->held = base + used;
        f->length = total - used;
    }
    f->held = base;
    f->length = total - used;
    if (used)
        memmove(base, base + used, f->length);
}

static void resumed_put(struct state *s, const struct flow_write *read, uint64_t term)
{
    uint64_t key = map_key(read->file->path, strlen(read->file->path));
    struct resumed *r = map_get(&s->resumed, key);
    if (!r && s->resumed.count >= FILES_MAX)
        map_forget(&s->resumed);
    if (!r && (!(r = calloc(1, sizeof *r)) || !map_put(&s->resumed, key, r))) {
        free(r);
        return;
    }
    *r = (struct resumed){read->done.process, term};
}

/* The end of what the process before this one wrote may have gone with its power, and its term with it: the file is what this one
 * read back, and its next record says again what was lost. */
static void file_resume(struct state *s, struct file *f, const struct flow_write *write)
{
    const char *path = write->file->path;
    const struct resumed *r = f->writer ? map_get(&s->resumed, map_key(path, strlen(path))) : NULL;
    if (r && r->process == write->done.process)
        f->term = r->term;
}

static void file_write(void *state, struct walk *w, void *pointer, const struct flow_write *write)
{
    struct file *f = pointer;
    if (f->writer != write->done.process)
        file_resume(state, f, write);
    f->writer = write->done.process;
    if (write->offset != f->next)
        f->length = 0; /* the log was cut, or its beginning was not seen */
    f->next = write->offset + write->length;
    if (file_hold(f, write->data, write->length))
        file_records(w, f);
}

/* At its start a server looks at the beginning several times before it reads on. What only reads is ovsdb-tool, or somebody's
 * backup: nobody remembers it. */
static void file_read(void *state, struct walk *w, void *pointer, const struct flow_write *read)
{
    struct file *f = pointer;
    uint64_t end = read->offset + read->length;
    if (read->read_only || end <= f->next)
        return;
    if (read->offset > f->next) {
        f->length = 0;
        f->next = read->offset;
    }
    size_t skip = (size_t)(f->next - read->offset);
    f->next = end;
    if (file_hold(f, read->data + skip, read->length - skip))
        file_records(w, f);
    resumed_put(state, read, f->term);
}

const struct protocol_adapter adapter_ovsdb = {
    .name = "ovsdb", .create = create, .destroy = destroy, .probe = probe, .frame = frame, .message = message, .file_mine = file_mine, .file_create = file_create,
    .file_destroy = file_destroy, .file_write = file_write, .file_read = file_read,
};
