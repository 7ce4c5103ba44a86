#include "cli/fact_index.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fact_words.h"
#include "protocol/walk.h"

#define NAMES_MAX 64  /* words of the protocol */
#define PEERS_MAX 256

enum { ITEM_WRITE = 64, ITEM_SYNC }; /* beside enum raft_fact_kind */

struct item {
    uint64_t sequence;
    int64_t text; /* offset of its words, which end with a NUL; those of its fields follow, and a NUL */
    uint8_t kind, type, name;
};

struct fact_index {
    uint32_t process;
    const struct store_process *list; /* of the run; not owned */
    size_t processes;
    struct item *item;
    size_t count, capacity;
    char name[NAMES_MAX][32];         /* 0: "" */
    size_t names;
    struct peer { char id[RAFT_NODE_NAME]; uint32_t process; } peer[PEERS_MAX];
    size_t peers;
    FILE *text;
    bool failed;
};

/* ---- reading ---- */

static uint8_t name_number(struct fact_index *x, const char *name)
{
    for (size_t i = 0; i < x->names; i++)
        if (!strcmp(x->name[i], name))
            return (uint8_t)i;
    if (x->names == NAMES_MAX)
        return 0;
    snprintf(x->name[x->names], sizeof x->name[0], "%s", name);
    return (uint8_t)x->names++;
}

static void item_add(struct fact_index *x, uint64_t sequence, int kind)
{
    if (x->count == x->capacity) {
        size_t capacity = x->capacity ? 2 * x->capacity : 1024;
        struct item *more = realloc(x->item, capacity * sizeof *more);
        if (!more) {
            x->failed = true;
            return;
        }
        x->item = more;
        x->capacity = capacity;
    }
    x->item[x->count++] = (struct item){ .sequence = sequence, .kind = (uint8_t)kind, .text = -1 };
}

static void peer_note(struct fact_index *x, const struct raft_fact *fact)
{
    if (x->peers < PEERS_MAX) {
        snprintf(x->peer[x->peers].id, RAFT_NODE_NAME, "%s", fact->peer);
        x->peer[x->peers++].process = fact->process;
    }
}

/* The node behind an id of the protocol, where it has told its id. */
static const char *peer_name(const struct fact_index *x, const char *id)
{
    for (size_t i = x->peers; i-- > 0;) {
        if (strcmp(x->peer[i].id, id))
            continue;
        for (size_t k = 0; k < x->processes; k++)
            if (x->list[k].number == x->peer[i].process)
                return x->list[k].node;
    }
    return id;
}

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct fact_index *x = context;
    if (fact->kind == RAFT_FACT_NODE)
        peer_note(x, fact);
    if (fact->process != x->process || x->failed)
        return;
    const struct raft_message *m = fact->message;
    item_add(x, fact->sequence, fact->kind);
    if (x->failed)
        return;
    struct item *item = &x->item[x->count - 1];
    item->text = ftello(x->text);
    item->type = m ? (uint8_t)m->type : 0;
    item->name = m ? name_number(x, m->name) : 0;
    fact_line(fact, peer_name(x, !m ? fact->peer : fact->kind == RAFT_FACT_SENT ? m->to : m->from), x->text);
    putc(0, x->text);
    if (m)
        fact_message_fields(m, x->text);
    putc(0, x->text);
}

static void on_written(void *context, const struct flow_write *write)
{
    struct fact_index *x = context;
    if (write->begun.process == x->process && !write->read_only)
        item_add(x, write->begun.sequence, ITEM_WRITE);
}

static void on_synced(void *context, struct flow_file *file, uint64_t number, const struct flow_at *at)
{
    struct fact_index *x = context;
    (void)file, (void)number;
    if (at->process == x->process)
        item_add(x, at->sequence, ITEM_SYNC);
}

static bool read_all(struct fact_index *x, struct store *s, struct drd_error *e)
{
    struct walk_listener listener = { .context = x, .fact = on_fact, .written = on_written, .synced = on_synced };
    struct trace_event event;
    struct walk *w = walk_create(&listener);
    struct timeline *t = w ? timeline_open(s, e) : NULL;
    int more = t ? 1 : -1;
    while (more > 0 && (more = timeline_next(t, &event, e)) > 0)
        if (walk_wants(event.code) && !walk_event(w, &event))
            x->failed = true;
    timeline_close(t);
    walk_destroy(w);
    if (!w || x->failed || ferror(x->text))
        return error_set(e, DRD_EXIT_CANNOT, "no memory for the meaning of the events, or no room for it in a temporary "
                         "file");
    return more == 0;
}

struct fact_index *fact_index_read(struct store *s, const struct store_process *process, size_t count, uint32_t number,
                                   struct drd_error *e)
{
    struct fact_index *x = calloc(1, sizeof *x);
    if (x)
        *x = (struct fact_index){ .process = number, .list = process, .processes = count, .names = 1, .text = tmpfile() };
    bool ok = (x && x->text) || error_set_errno(e, DRD_EXIT_CANNOT, "a temporary file");
    if (ok && read_all(x, s, e))
        return x;
    fact_index_destroy(x);
    return NULL;
}

void fact_index_destroy(struct fact_index *x)
{
    if (x && x->text)
        fclose(x->text);
    if (x)
        free(x->item);
    free(x);
}

/* ---- kinds ---- */

static bool is_message(const struct item *item)
{
    return item->kind == RAFT_FACT_SENT || item->kind == RAFT_FACT_RECEIVED;
}

static const struct { const char *word; uint8_t kind; } kinds[] = {
    { "send", RAFT_FACT_SENT }, { "receive", RAFT_FACT_RECEIVED }, { "term", RAFT_FACT_TERM }, { "vote", RAFT_FACT_VOTE },
    { "role", RAFT_FACT_ROLE }, { "append", RAFT_FACT_APPEND }, { "truncate", RAFT_FACT_TRUNCATE },
    { "commit", RAFT_FACT_COMMIT }, { "apply", RAFT_FACT_APPLY }, { "snapshot", RAFT_FACT_SNAPSHOT }, { "configuration", RAFT_FACT_CONFIGURATION },
    { "write", ITEM_WRITE }, { "sync", ITEM_SYNC },
};

/* 0: none; RAFT_FACT_SENT is 0, so one more than the kind. */
static int kind_of(const char *word)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].word, word))
            return kinds[i].kind + 1;
    return 0;
}

bool fact_kind_exists(const struct fact_index *x, const char *kind)
{
    if (!strcmp(kind, "message") || kind_of(kind))
        return true;
    for (int type = RAFT_NONE + 1; type <= RAFT_CLIENT_RESULT; type++)
        if (*fact_message_type(type) && !fnmatch(kind, fact_message_type(type), FNM_CASEFOLD))
            return true;
    for (size_t i = 1; i < x->names; i++)
        if (!strcmp(kind, x->name[i]))
            return true;
    return false;
}

static bool item_is(const struct fact_index *x, const struct item *item, const char *word, int kind)
{
    if (kind)
        return item->kind == kind - 1;
    if (!is_message(item))
        return false;
    return !strcmp(word, "message") || !strcmp(word, x->name[item->name]) ||
           (*fact_message_type(item->type) && !fnmatch(word, fact_message_type(item->type), FNM_CASEFOLD));
}

bool fact_index_find(const struct fact_index *x, const char *word, uint64_t from, bool back, uint64_t *found)
{
    int kind = kind_of(word);
    bool any = false;
    for (size_t i = 0; i < x->count; i++) {
        const struct item *item = &x->item[i];
        if ((back ? item->sequence >= from : item->sequence < from) || !item_is(x, item, word, kind))
            continue;
        if (!any || (back ? item->sequence > *found : item->sequence < *found))
            *found = item->sequence;
        any = true;
    }
    return any;
}

/* ---- words ---- */

static void copy_text(FILE *from, bool keep, FILE *out)
{
    for (int c; (c = getc(from)) > 0;)
        if (keep)
            putc(c, out);
}

size_t fact_index_print(struct fact_index *x, uint64_t sequence, bool fields, FILE *out)
{
    size_t printed = 0;
    for (size_t i = 0; i < x->count; i++) {
        const struct item *item = &x->item[i];
        if (item->sequence != sequence || item->text < 0 || (fields && !is_message(item)))
            continue;
        if (fseeko(x->text, item->text, SEEK_SET))
            continue;
        fputs("  ", out);
        copy_text(x->text, true, out);
        putc('\n', out);
        copy_text(x->text, fields, out);
        printed++;
    }
    return printed;
}
