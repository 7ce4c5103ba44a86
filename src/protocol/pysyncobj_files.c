/* Adapter for PySyncObj 0.3, what is replicated and the files: the journal, its .meta with the commit index, and the dump.
 * Sources: journal.py, serializer.py, syncobj.py of 0.3.11.
 *
 * The journal is written through a shared mapping, which no call shows: what is seen of it is its creation, and what it
 * held when a node mapped it at its start. Terms and votes are in no file. Nothing is ever synced. */
#include <zlib.h>

#include "protocol/pysyncobj.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL_MAGIC "PYSYNCOBJ" /* 24 bytes with the NULs behind it; 8 of a version, u32 format, u32 end of the records */
#define JOURNAL_HEADER 40
#define JOURNAL_END 36
#define RECORD 16                 /* u64 index, u64 term; a u32 length stands before and after each record */
#define META_MAX 4096
#define MEMBERS_MAX 1024
#define ANY_HEADER (MAX_WBITS + 32) /* zlib or gzip: see inflateInit2 */

enum command_type { COMMAND_REGULAR, COMMAND_NO_OP, COMMAND_MEMBERSHIP, COMMAND_VERSION };

/* --- compressed streams --- */

static bool inflated_reserve(struct inflated *i)
{
    if (i->length < i->capacity)
        return true;
    size_t capacity = i->capacity ? 2 * i->capacity : 4096;
    uint8_t *grown = capacity <= PYSYNCOBJ_INFLATED_MAX ? realloc(i->data, capacity) : NULL;
    if (!grown)
        return false;
    i->data = grown;
    i->capacity = capacity;
    return true;
}

static bool inflated_begin(struct inflated *i)
{
    if (i->stream)
        return true;
    i->stream = calloc(1, sizeof *i->stream);
    if (i->stream && inflateInit2(i->stream, ANY_HEADER) == Z_OK)
        return true;
    free(i->stream);
    i->stream = NULL;
    return false;
}

void inflated_add(struct inflated *i, const uint8_t *data, size_t length)
{
    if (i->done || i->failed)
        return;
    if (length > UINT32_MAX || !inflated_begin(i)) {
        i->failed = true;
        return;
    }
    z_stream *z = i->stream;
    z->next_in = (Bytef *)data;
    z->avail_in = (uInt)length;
    for (int result = Z_OK; result == Z_OK && !i->failed;) {
        if (!inflated_reserve(i)) {
            i->failed = true;
            return;
        }
        z->next_out = i->data + i->length;
        z->avail_out = (uInt)(i->capacity - i->length);
        result = inflate(z, Z_NO_FLUSH);
        i->length = i->capacity - z->avail_out;
        i->done = result == Z_STREAM_END;
        i->failed = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR; /* that one: more input is needed */
    }
}

void inflated_fini(struct inflated *i)
{
    if (i->stream)
        inflateEnd(i->stream);
    free(i->stream);
    free(i->data);
    *i = (struct inflated){.stream = NULL};
}

/* --- what is replicated --- */

static const char *command_words(uint8_t type, const struct pickle_value *v, char *out, size_t size)
{
    const struct pickle_value *arguments = pickle_item(v, 1);
    char method[24], text[160];
    pickle_print(type == COMMAND_REGULAR && arguments ? pickle_item(v, 0) : v, method, sizeof method);
    switch (type) {
    case COMMAND_MEMBERSHIP: /* [what, id, node] */
        pickle_print(pickle_item(v, 0), method, sizeof method);
        pickle_print(arguments, text, sizeof text);
        snprintf(out, size, "%s %s", method, text);
        break;
    case COMMAND_VERSION:
        snprintf(out, size, "version %s", method);
        break;
    default: /* the number of the method, or with its arguments (number, arguments), (number, arguments, keywords) */
        pickle_print(arguments, text, sizeof text);
        snprintf(out, size, "#%s%s", method, arguments ? text : "()");
        if (pickle_item(v, 2)) {
            pickle_print(pickle_item(v, 2), text, sizeof text);
            snprintf(out + strlen(out), size - strlen(out), "%s", text);
        }
    }
    return out;
}

/* One byte says what a command is, the rest is a pickle. Two are the same if their bytes are: nobody pickles them again. */
void pysyncobj_command(struct raft_entry *entry, const uint8_t *command, size_t length)
{
    static const char types[] = {'c', 'n', 'm', 'c'};
    uint8_t type = length ? command[0] : UINT8_MAX;
    char words[256];
    entry_content(entry, type <= COMMAND_VERSION ? types[type] : '?', command, length);
    if (type == COMMAND_NO_OP) {
        snprintf(entry->text, sizeof entry->text, "no-op");
        return;
    }
    struct pickle *p = type <= COMMAND_VERSION ? pickle_read(command + 1, length - 1) : NULL;
    if (p) {
        command_words(type, pickle_root(p), words, sizeof words);
        entry_text(entry->text, sizeof entry->text, words, strlen(words));
    }
    pickle_free(p);
}

bool pysyncobj_entry(struct raft_entry *entry, const struct pickle_value *tuple)
{
    const uint8_t *command;
    size_t length;
    if (!pickle_bytes(pickle_item(tuple, 0), &command, &length) || !pickle_number(pickle_item(tuple, 1), &entry->index) ||
        !pickle_number(pickle_item(tuple, 2), &entry->term))
        return false;
    pysyncobj_command(entry, command, length);
    return true;
}

bool pysyncobj_dump_last(const struct pickle_value *dump, uint64_t *index, uint64_t *term)
{
    const struct pickle_value *last = pickle_item(dump, 1);
    uint64_t i, t;
    if (!dump || dump->kind != PICKLE_TUPLE || !pickle_number(pickle_item(last, 1), &i) ||
        !pickle_number(pickle_item(last, 2), &t))
        return false;
    *index = i;
    *term = t;
    return true;
}

/* --- files --- */

enum file_kind { FILE_JOURNAL, FILE_META, FILE_DUMP };

struct file {
    enum file_kind kind;
    bool begun;
    struct inflated dump;
    uint64_t next; /* of the dump: where its next byte must come */
};

static bool is_journal(const struct flow_write *w)
{
    return w->length >= JOURNAL_HEADER && !memcmp(w->data, JOURNAL_MAGIC, sizeof JOURNAL_MAGIC);
}

/* {'raftCommitIndex': index} */
static bool meta_read(const struct flow_write *w, uint64_t *index)
{
    bool may = w->length >= 2 && w->length <= META_MAX && w->data[0] == 0x80;
    struct pickle *p = may ? pickle_read(w->data, w->length) : NULL;
    bool is = pickle_number(pickle_get(pickle_root(p), "raftCommitIndex"), index);
    pickle_free(p);
    return is;
}

/* A gzip file (RFC 1952) of a pickled tuple of four. Its first piece may show no more than that it is a pickle. */
static bool is_dump(const struct flow_write *w)
{
    if (w->length < 18 || w->data[0] != 0x1f || w->data[1] != 0x8b)
        return false;
    struct inflated i = {.stream = NULL};
    inflated_add(&i, w->data, w->length < META_MAX ? w->length : META_MAX);
    bool is = !i.failed && i.length >= 3 && i.data[0] == 0x80 && i.data[1] >= 2 && i.data[1] <= 5;
    inflated_fini(&i);
    return is;
}

static bool file_kind(const struct flow_write *w, enum file_kind *kind)
{
    uint64_t index;
    if (w->offset)
        return false;
    if (is_journal(w))
        *kind = FILE_JOURNAL;
    else if (meta_read(w, &index))
        *kind = FILE_META;
    else if (is_dump(w))
        *kind = FILE_DUMP;
    else
        return false;
    return true;
}

bool pysyncobj_file_mine(const struct flow_write *w)
{
    enum file_kind kind;
    return file_kind(w, &kind);
}

void *pysyncobj_file_create(void *state, const char *path)
{
    (void)state, (void)path;
    return calloc(1, sizeof(struct file));
}

void pysyncobj_file_destroy(void *pointer)
{
    struct file *f = pointer;
    inflated_fini(&f->dump);
    free(f);
}

static uint64_t number_at(const uint8_t *p, size_t length)
{
    uint64_t number = 0;
    for (size_t i = length; i-- > 0;)
        number = number << 8 | p[i];
    return number;
}

static void record_fact(struct walk *w, const uint8_t *record, size_t length)
{
    struct raft_fact fact = {.kind = RAFT_FACT_APPEND, .index = number_at(record, 8), .term = number_at(record + 8, 8)};
    fact.entry.index = fact.index;
    fact.entry.term = fact.term;
    pysyncobj_command(&fact.entry, record + RECORD, length - RECORD);
    walk_file_fact(w, &fact);
}

/* The whole journal, as it is when it is made or mapped. */
static void journal_facts(struct walk *w, const uint8_t *data, size_t size)
{
    uint64_t end = number_at(data + JOURNAL_END, 4);
    size_t at = JOURNAL_HEADER;
    if (end > size)
        end = size;
    while (at + 8 + RECORD <= end) {
        uint64_t length = number_at(data + at, 4);
        if (length < RECORD || length > end - at - 8 || number_at(data + at + 4 + length, 4) != length)
            return;
        record_fact(w, data + at + 4, (size_t)length);
        at += (size_t)length + 8;
    }
}

/* The ids of a set of nodes. In protocol 2 a set is what a call of set() with a list would give. */
static void members_fact(struct walk *w, const struct pickle_value *set, uint64_t index)
{
    char text[4096] = "";
    size_t used = 0;
    if (set && set->kind == PICKLE_OBJECT)
        set = pickle_item(pickle_item(set, 1), 0);
    for (size_t i = 0; i < MEMBERS_MAX && pickle_item(set, i); i++) {
        const uint8_t *id;
        size_t length;
        bool has = pickle_bytes(pickle_get(pickle_item(pickle_item(set, i), 2), "_id"), &id, &length);
        if (!has || length >= RAFT_NODE_NAME || memchr(id, '\0', length) || used + length + 2 > sizeof text)
            return; /* half a configuration is none */
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "", (int)length, (const char *)id);
    }
    struct raft_fact fact = {.kind = RAFT_FACT_CONFIGURATION, .index = index, .text = text};
    if (used)
        walk_file_fact(w, &fact);
}

static void dump_write(struct walk *w, struct file *f, const struct flow_write *write)
{
    if (!write->offset) {
        inflated_fini(&f->dump);
        f->next = 0;
    }
    if (write->offset != f->next || f->dump.done)
        return;
    inflated_add(&f->dump, write->data, write->length);
    f->next += write->length;
    struct pickle *p = f->dump.done ? pickle_read(f->dump.data, f->dump.length) : NULL;
    struct raft_fact fact = {.kind = RAFT_FACT_SNAPSHOT};
    if (pysyncobj_dump_last(pickle_root(p), &fact.index, &fact.term)) {
        walk_file_fact(w, &fact);
        members_fact(w, pickle_item(pickle_root(p), 3), fact.index);
    }
    pickle_free(p);
}

void pysyncobj_file_write(void *state, struct walk *w, void *pointer, const struct flow_write *write)
{
    struct file *f = pointer;
    struct raft_fact commit = {.kind = RAFT_FACT_COMMIT};
    (void)state;
    if (!write->offset)
        f->begun = file_kind(write, &f->kind); /* also when it is written anew */
    if (!f->begun)
        return;
    if (f->kind == FILE_DUMP)
        dump_write(w, f, write);
    else if (f->kind == FILE_JOURNAL && !write->offset)
        journal_facts(w, write->data, write->length);
    else if (f->kind == FILE_META && !write->offset && meta_read(write, &commit.index))
        walk_file_fact(w, &commit);
}
