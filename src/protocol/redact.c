#include "protocol/redact.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/facts.h"
#include "protocol/index.h"

/* ---- facts ---- */

struct redactor {
    const struct redact_key *key;
    struct facts_writer *writer;
    struct raft_entry *entry; /* of the message at hand */
    size_t entries;
    bool failed;
};

static void text_into(const struct redactor *r, char *out, size_t size)
{
    char digest[REDACT_TEXT];
    redact_text(r->key, out, strnlen(out, size), digest);
    memcpy(out, digest, strlen(digest) + 1);
}

/* A configuration names nodes, a no-op nothing; all else is from a client. */
static void redact_entry(const struct redactor *r, struct raft_entry *entry)
{
    entry->digest = redact_number(r->key, entry->digest);
    if (entry->type != 'm' && entry->type != 'n')
        text_into(r, entry->text, sizeof entry->text);
}

static bool redact_entries(struct redactor *r, struct raft_message *m)
{
    if (m->entries > r->entries) {
        struct raft_entry *grown = realloc(r->entry, m->entries * sizeof *grown);
        if (!grown)
            return false;
        r->entry = grown;
        r->entries = m->entries;
    }
    if (m->entries)
        memcpy(r->entry, m->entry, m->entries * sizeof *r->entry);
    for (size_t i = 0; i < m->entries; i++)
        redact_entry(r, &r->entry[i]);
    m->entry = r->entry;
    return true;
}

static void redact_message(struct redactor *r, struct raft_message *m)
{
    text_into(r, m->request, sizeof m->request);
    text_into(r, m->once, sizeof m->once);
    text_into(r, m->key, sizeof m->key);
    m->value = redact_number(r->key, m->value);
    r->failed |= !redact_entries(r, m);
}

/* Words that are DRD's own, or ids of nodes. */
static bool text_stays(enum raft_fact_kind kind)
{
    return kind == RAFT_FACT_CONFIGURATION || kind == RAFT_FACT_START || kind == RAFT_FACT_FAULT || kind == RAFT_FACT_WRITE_FAILED;
}

static void redact_fact(void *context, const struct raft_fact *told)
{
    struct redactor *r = context;
    struct raft_fact fact = *told;
    struct raft_message message;
    char text[REDACT_TEXT];
    redact_entry(r, &fact.entry);
    if (fact.text && !text_stays(fact.kind)) {
        redact_text(r->key, fact.text, strlen(fact.text), text);
        fact.text = text;
    }
    if (fact.message) {
        message = *fact.message;
        redact_message(r, &message);
        fact.message = &message;
    }
    r->failed |= r->failed || !facts_writer_add(r->writer, &fact);
}

static bool redact_facts(struct store *run, struct store *out, const struct redact_key *key, struct drd_error *e)
{
    struct redactor r = { .key = key, .writer = facts_writer_create(out, e) };
    bool ok = r.writer && protocol_walk(run, redact_fact, &r, e);
    if (ok)
        ok = facts_writer_end(r.writer, e) && (!r.failed || error_set(e, DRD_EXIT_FATAL, "out of memory"));
    facts_writer_destroy(r.writer);
    free(r.entry);
    return ok;
}

/* ---- rows ---- */

static void sql_redact(sqlite3_context *c, int count, sqlite3_value **value)
{
    char text[REDACT_TEXT];
    (void)count;
    redact_text(sqlite3_user_data(c), sqlite3_value_blob(value[0]), (size_t)sqlite3_value_bytes(value[0]), text);
    sqlite3_result_text(c, text, -1, SQLITE_TRANSIENT);
}

/* Numbers, types of messages and addresses as they are; paths and the words of marks as digests. */
static const char copy_rows[] =
    "INSERT INTO main.name SELECT * FROM source.name ORDER BY id;"
    "INSERT INTO main.path SELECT id, redact(text) FROM source.path ORDER BY id;"
    "INSERT INTO main.connection SELECT * FROM source.connection ORDER BY id;"
    "INSERT INTO main.draw_row SELECT process, sequence, name, CASE typeof(value) WHEN 'integer' THEN value ELSE redact(value) END"
    " FROM source.draw_row ORDER BY rowid;"
    "INSERT INTO main.mark_text SELECT process, sequence, redact(text) FROM source.mark_text ORDER BY 1, 2;"
    "INSERT INTO main.row_block SELECT * FROM source.row_block ORDER BY id;";

bool protocol_redact_tables(struct store *out, struct drd_error *e)
{
    struct index *x = index_create(store_database(out), e);
    index_destroy(x);
    return x != NULL;
}

static bool redact_rows(struct store *out, const struct redact_key *key, struct drd_error *e)
{
    sqlite3 *db = store_database(out);
    bool ok = sqlite3_create_function(db, "redact", 1, SQLITE_UTF8, (void *)(uintptr_t)key, sql_redact, NULL, NULL) == SQLITE_OK &&
              sqlite3_exec(db, copy_rows, NULL, NULL, NULL) == SQLITE_OK;
    if (!ok)
        error_set(e, DRD_EXIT_FATAL, "%s: %s", store_path(out), sqlite3_errmsg(db));
    return ok && store_fact_set(out, "index_version", INDEX_VERSION, e);
}

bool protocol_redact(struct store *run, struct store *out, const struct redact_key *key, struct drd_error *e)
{
    return redact_facts(run, out, key, e) && redact_rows(out, key, e) && store_fact_set(out, "redacted", FACTS_VERSION, e);
}
