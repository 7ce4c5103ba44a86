#include "protocol/facts.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "store/redact.h"
#include "trace/msgpack.h"

#define BLOCK (1u << 18)      /* bytes of a block, but for the fact that ends it */
#define BLOCK_MAX (64u << 20) /* that a reader expands */
#define LEVEL 6
#define ENTRY_LEAST 6         /* bytes of an entry: its count is believed so far as they are there */

/* What gets a member there must be written and read here; then raise FACTS_VERSION. */
_Static_assert(sizeof(struct raft_entry) == 88 && sizeof(struct raft_message) == 488 && sizeof(struct raft_fact) == 240,
               "facts.c has to know all members of a fact");

struct facts_writer {
    struct store *store;
    sqlite3_stmt *insert;
    uint8_t *data;
    size_t length, capacity;
    bool failed;
};

/* ---- writing ---- */

struct facts_writer *facts_writer_create(struct store *s, struct drd_error *e)
{
    struct facts_writer *w = calloc(1, sizeof *w);
    sqlite3 *db = store_database(s);
    if (w && sqlite3_exec(db, "CREATE TABLE fact_block(id INTEGER PRIMARY KEY, length INTEGER NOT NULL, data BLOB NOT NULL)", NULL, NULL,
                          NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "INSERT INTO fact_block(length, data) VALUES(?1, ?2)", -1, &w->insert, NULL) == SQLITE_OK) {
        w->store = s;
        return w;
    }
    error_set(e, DRD_EXIT_FATAL, "%s: %s", store_path(s), w ? sqlite3_errmsg(db) : "out of memory");
    facts_writer_destroy(w);
    return NULL;
}

void facts_writer_destroy(struct facts_writer *w)
{
    if (!w)
        return;
    sqlite3_finalize(w->insert);
    free(w->data);
    free(w);
}

static bool flush(struct facts_writer *w)
{
    size_t bound = ZSTD_compressBound(w->length);
    uint8_t *packed = w->length ? malloc(bound) : NULL;
    if (!w->length)
        return true;
    size_t n = packed ? ZSTD_compress(packed, bound, w->data, w->length, LEVEL) : 0;
    bool ok = packed && !ZSTD_isError(n) && w->length <= BLOCK_MAX;
    if (ok) {
        sqlite3_bind_int64(w->insert, 1, (sqlite3_int64)w->length);
        sqlite3_bind_blob64(w->insert, 2, packed, n, SQLITE_STATIC);
        ok = sqlite3_step(w->insert) == SQLITE_DONE;
        sqlite3_reset(w->insert);
    }
    free(packed);
    w->length = 0;
    return ok;
}

static void put_bytes(struct facts_writer *w, const void *data, size_t length)
{
    if (w->length + length > w->capacity) {
        size_t wanted = 2 * (w->length + length) + BLOCK;
        uint8_t *grown = realloc(w->data, wanted);
        w->failed |= !grown;
        if (!grown)
            return;
        w->data = grown;
        w->capacity = wanted;
    }
    memcpy(w->data + w->length, data, length);
    w->length += length;
}

static void put(struct facts_writer *w, uint64_t value)
{
    uint8_t bytes[PACK_MAX];
    put_bytes(w, bytes, (size_t)(pack_int(bytes, (int64_t)value) - bytes));
}

/* With the zero at its end, so that a reader can hand it on as it lies there. NULL is none at all. */
static void put_text(struct facts_writer *w, const char *text)
{
    uint8_t head[PACK_MAX];
    size_t length = text ? strlen(text) + 1 : 0;
    put_bytes(w, head, (size_t)(pack_str_header(head, (uint32_t)length) - head));
    if (length)
        put_bytes(w, text, length);
}

static void put_entry(struct facts_writer *w, const struct raft_entry *entry)
{
    put(w, entry->index);
    put(w, entry->term);
    put(w, entry->digest);
    put(w, (uint64_t)(uint8_t)entry->type);
    put_text(w, entry->text);
    put_text(w, entry->members);
}

static void put_message(struct facts_writer *w, const struct raft_message *m)
{
    const uint64_t number[] = {
        m->type, m->id, m->term, m->prev_index, m->prev_term, m->commit, m->match, m->asked, m->round, m->length, m->value,
        (uint64_t)m->success | (uint64_t)m->pre_vote << 1 | (uint64_t)m->may_disregard << 2 | (uint64_t)m->read << 3, m->entries,
    };
    const char *const text[] = { m->name, m->from, m->to, m->vote, m->request, m->once, m->key };
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        put(w, number[i]);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        put_text(w, text[i]);
    for (size_t i = 0; i < m->entries; i++)
        put_entry(w, &m->entry[i]);
}

bool facts_writer_add(struct facts_writer *w, const struct raft_fact *f)
{
    const uint64_t number[] = {
        f->kind, f->process, f->sequence, f->thread, f->time,
        (uint64_t)f->written | (uint64_t)f->durable << 1 | (uint64_t)f->again << 2 | (uint64_t)f->loaded << 3, f->term, f->index,
        (uint64_t)(int64_t)f->role, f->message != NULL,
    };
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        put(w, number[i]);
    put_text(w, f->protocol);
    put_text(w, f->peer);
    put_text(w, f->text);
    put_entry(w, &f->entry);
    if (f->message)
        put_message(w, f->message);
    if (w->length >= BLOCK)
        w->failed |= !flush(w);
    return !w->failed;
}

bool facts_writer_end(struct facts_writer *w, struct drd_error *e)
{
    w->failed |= !flush(w);
    return !w->failed || error_set(e, DRD_EXIT_FATAL, "%s: the facts of the run cannot be written: %s", store_path(w->store),
                                   sqlite3_errmsg(store_database(w->store)));
}

/* ---- reading ---- */

struct cursor {
    const uint8_t *p, *end; /* p NULL: what was there is no fact */
    struct raft_entry *entry;
    size_t entries;         /* room */
};

static uint64_t take(struct cursor *c)
{
    struct unpack u;
    c->p = c->p ? unpack_next(c->p, c->end, &u) : NULL;
    if (c->p && u.type == UNPACK_INT)
        return (uint64_t)u.value;
    c->p = NULL;
    return 0;
}

/* NULL: none, or damaged. */
static const char *take_text(struct cursor *c)
{
    struct unpack u;
    c->p = c->p ? unpack_next(c->p, c->end, &u) : NULL;
    if (c->p && u.type == UNPACK_STR && !u.length)
        return NULL;
    if (c->p && u.type == UNPACK_STR && !u.data[u.length - 1])
        return (const char *)u.data;
    c->p = NULL;
    return NULL;
}

static void take_into(struct cursor *c, char *out, size_t size)
{
    const char *text = take_text(c);
    size_t length = text ? strlen(text) : 0;
    if (length >= size)
        length = size - 1;
    if (length)
        memcpy(out, text, length);
    out[length] = 0;
}

static void take_entry(struct cursor *c, struct raft_entry *entry)
{
    *entry = (struct raft_entry){ .index = take(c) };
    entry->term = take(c);
    entry->digest = take(c);
    entry->type = (char)take(c);
    take_into(c, entry->text, sizeof entry->text);
    entry->members = take_text(c);
}

static bool take_entries(struct cursor *c, struct raft_message *m)
{
    if (!c->p || m->entries > (size_t)(c->end - c->p) / ENTRY_LEAST)
        return false;
    if (m->entries > c->entries) {
        struct raft_entry *grown = realloc(c->entry, m->entries * sizeof *grown);
        if (!grown)
            return false;
        c->entry = grown;
        c->entries = m->entries;
    }
    for (size_t i = 0; i < m->entries; i++)
        take_entry(c, &c->entry[i]);
    m->entry = c->entry;
    return c->p != NULL;
}

static bool take_message(struct cursor *c, struct raft_message *m)
{
    uint64_t type = take(c), flags;
    uint64_t *const number[] = { &m->id, &m->term, &m->prev_index, &m->prev_term, &m->commit, &m->match, &m->asked, &m->round };
    *m = (struct raft_message){ .type = type <= RAFT_CLIENT_RESULT ? (enum raft_type)type : RAFT_NONE };
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        *number[i] = take(c);
    m->length = (size_t)take(c);
    m->value = take(c);
    flags = take(c);
    m->success = flags & 1;
    m->pre_vote = flags >> 1 & 1;
    m->may_disregard = flags >> 2 & 1;
    m->read = flags >> 3 & 1;
    m->entries = (size_t)take(c);
    take_into(c, m->name, sizeof m->name);
    take_into(c, m->from, sizeof m->from);
    take_into(c, m->to, sizeof m->to);
    take_into(c, m->vote, sizeof m->vote);
    take_into(c, m->request, sizeof m->request);
    take_into(c, m->once, sizeof m->once);
    take_into(c, m->key, sizeof m->key);
    return take_entries(c, m);
}

static bool take_fact(struct cursor *c, struct raft_fact *f, struct raft_message *m)
{
    uint64_t kind = take(c), flags;
    *f = (struct raft_fact){ .kind = kind <= RAFT_FACT_TEXT ? (enum raft_fact_kind)kind : RAFT_FACT_TEXT };
    f->process = (uint32_t)take(c);
    f->sequence = take(c);
    f->thread = (uint32_t)take(c);
    f->time = take(c);
    flags = take(c);
    f->written = flags & 1;
    f->durable = flags >> 1 & 1;
    f->again = flags >> 2 & 1;
    f->loaded = flags >> 3 & 1;
    f->term = take(c);
    f->index = take(c);
    f->role = (int)(int64_t)take(c);
    bool message = take(c) != 0;
    const char *protocol = take_text(c);
    f->protocol = protocol_name(protocol ? protocol : "");
    take_into(c, f->peer, sizeof f->peer);
    f->text = take_text(c);
    take_entry(c, &f->entry);
    if (message && !take_message(c, m))
        return false;
    f->message = message ? m : NULL;
    /* a message where there is to be one, and nowhere else: those who use facts rely on it */
    bool wanted = f->kind == RAFT_FACT_SENT || f->kind == RAFT_FACT_RECEIVED;
    return c->p && wanted == message;
}

static bool walk_block(const uint8_t *data, size_t length, raft_fact_fn fn, void *context)
{
    struct cursor c = { .p = data, .end = data + length };
    struct raft_fact fact;
    struct raft_message message;
    while (c.p && c.p < c.end && take_fact(&c, &fact, &message))
        fn(context, &fact);
    free(c.entry);
    return c.p && c.p == c.end;
}

static bool expand_block(sqlite3_stmt *st, raft_fact_fn fn, void *context)
{
    sqlite3_int64 length = sqlite3_column_int64(st, 0);
    const void *packed = sqlite3_column_blob(st, 1);
    if (length <= 0 || length > BLOCK_MAX || !packed)
        return false;
    uint8_t *data = malloc((size_t)length);
    size_t n = data ? ZSTD_decompress(data, (size_t)length, packed, (size_t)sqlite3_column_bytes(st, 1)) : 0;
    bool ok = data && n == (size_t)length && walk_block(data, n, fn, context);
    free(data);
    return ok;
}

static bool walk_blocks(struct store *s, raft_fact_fn fn, void *context, struct drd_error *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(store_database(s), "SELECT length, data FROM fact_block ORDER BY id", -1, &st, NULL);
    bool ok = rc == SQLITE_OK;
    while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW)
        ok = expand_block(st, fn, context);
    sqlite3_finalize(st);
    return (ok && rc == SQLITE_DONE) || error_set(e, DRD_EXIT_FATAL, "%s: damaged: its facts cannot be read", store_path(s));
}

/* A view of that name could compute for ever. */
static bool has_table(struct store *s)
{
    sqlite3_stmt *st = NULL;
    bool found = sqlite3_prepare_v2(store_database(s), "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'fact_block' AND "
                                    "sql NOT LIKE '%VIRTUAL%'", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
    return found;
}

bool facts_walk(struct store *s, raft_fact_fn fn, void *context, struct drd_error *e)
{
    char version[16] = "";
    store_fact(s, "redacted", version, sizeof version);
    if (strcmp(version, FACTS_VERSION))
        return error_set(e, DRD_EXIT_FATAL, "%s: redacted by another version of drd (facts of version %s, this one reads %s)",
                         store_path(s), version, FACTS_VERSION);
    if (!has_table(s))
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: it was redacted, and has no facts", store_path(s));
    return walk_blocks(s, fn, context, e);
}
