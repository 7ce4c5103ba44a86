/* What recorded clients asked and were told, as a history of operations in EDN, the way Jepsen stores one.
 *
 * An operation is invoked when its client sends the request and ends when that client has received the answer: what lies
 * between on the servers is no part of it. What a request says is told by its server's end, later than it was sent, so lines
 * wait in a queue for what stands before them. A logical process has one operation at a time, and none after one whose
 * outcome is not known (:info). */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/export.h"
#include "export/words.h"
#include "protocol/map.h"

#define QUEUE_MAX 65536 /* lines that wait; then the oldest is given up, which is said */
#define TAKEN_NONE SIZE_MAX

enum type { INVOKE, OK, FAIL, INFO };

/* What an adapter said of a request or an answer. */
struct content {
    enum raft_type type;
    char name[32], request[48], key[48], text[48];
    uint64_t value, digest;
    bool read, success;
};

struct operation {
    struct content asked;
    size_t process;       /* of the history */
    uint64_t connection;
    uint32_t client;
};

/* A line of the history. */
struct line {
    struct line *next;
    bool ready, skip;
    bool held;            /* by its message, which frees it when it is no longer in the queue (`gone`) */
    bool gone;
    enum type type;
    uint64_t time;
    uint32_t process;     /* of the run */
    uint64_t sequence, connection;
    struct content content;
};

struct logical {
    uint32_t client; /* process of the run */
    bool busy, retired;
};

struct jepsen {
    const struct export_run *run;
    struct cast cast;
    struct track track;
    struct content pending; /* of the fact told last; type RAFT_NONE: none */
    struct line *first, **last;
    size_t waiting;
    struct map open;        /* request to struct operation */
    struct logical *logical;
    size_t logicals;
    struct flow_at at;
    FILE *out;
    uint64_t index, given_up, unseen;
    bool failed;
};

/* --- EDN --- */

static void put_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text); /* byte by byte: what is not ASCII is not decoded */
        else
            fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    putc('"', out);
}

/* ":put": letters, digits and dashes of a word. */
static void put_keyword(FILE *out, const char *word)
{
    putc(':', out);
    if (!isalpha((unsigned char)*word))
        fputs("op-", out);
    for (; *word; word++)
        putc(isalnum((unsigned char)*word) ? tolower((unsigned char)*word) : '-', out);
}

/* Values are known by their digests: equal ones are equal, and that is what a checker looks at. */
static void put_digest(FILE *out, uint64_t value)
{
    if (value)
        fprintf(out, "\"%016" PRIx64 "\"", value);
    else
        fputs("nil", out);
}

static bool is_write(const struct content *c)
{
    return !c->read && c->value && c->type == RAFT_CLIENT_REQUEST;
}

static void put_operation(FILE *out, const struct content *asked, const struct content *told)
{
    fputs(", :f ", out);
    if (asked->read || is_write(asked))
        fputs(asked->read ? ":read" : ":write", out);
    else
        put_keyword(out, asked->name);
    fputs(", :value [", out);
    if (asked->key[0])
        put_string(out, asked->key);
    else
        fputs("nil", out);
    putc(' ', out);
    put_digest(out, asked->read ? (told ? told->value : 0) : asked->value ? asked->value : asked->digest);
    putc(']', out);
    if (asked->text[0]) {
        fputs(", :text ", out);
        put_string(out, asked->text);
    }
}

static void put_line(struct jepsen *x, const struct operation *o, const struct line *l, const struct content *told)
{
    static const char *const types[] = {":invoke", ":ok", ":fail", ":info"};
    char event[CAST_EVENT];
    fprintf(x->out, "{:index %" PRIu64 ", :time %" PRIu64 ", :type %s, :process %zu", x->index++,
            l->time > x->run->begin ? l->time - x->run->begin : 0, types[l->type], o->process);
    put_operation(x->out, &o->asked, told);
    if (l->sequence != UINT64_MAX) {
        fputs(", :event ", x->out);
        put_string(x->out, cast_event(&x->cast, l->process, l->sequence, event));
    }
    fputs("}\n", x->out);
}

/* --- operations --- */

static uint64_t request_key(const char *request)
{
    return map_key(request, strnlen(request, sizeof ((struct content *)0)->request));
}

static size_t logical_take(struct jepsen *x, uint32_t client)
{
    for (size_t i = 0; i < x->logicals; i++)
        if (x->logical[i].client == client && !x->logical[i].busy && !x->logical[i].retired) {
            x->logical[i].busy = true;
            return i;
        }
    struct logical *grown = realloc(x->logical, (x->logicals + 1) * sizeof *grown);
    x->failed |= !grown;
    if (!grown)
        return TAKEN_NONE;
    x->logical = grown;
    grown[x->logicals] = (struct logical){.client = client, .busy = true};
    return x->logicals++;
}

static void invoke(struct jepsen *x, const struct line *l)
{
    uint64_t key = request_key(l->content.request);
    struct operation *o = map_get(&x->open, key) ? NULL : calloc(1, sizeof *o);
    if (!o)
        return;
    *o = (struct operation){.asked = l->content, .connection = l->connection, .client = l->process};
    o->process = logical_take(x, l->process);
    if (o->process == TAKEN_NONE || !map_put(&x->open, key, o)) {
        x->failed = true;
        free(o);
        return;
    }
    put_line(x, o, l, NULL);
}

static void end(struct jepsen *x, struct operation *o, const struct line *l)
{
    put_line(x, o, l, l->type == OK ? &l->content : NULL);
    x->logical[o->process].busy = false;
    x->logical[o->process].retired = l->type == INFO;
    free(map_remove(&x->open, request_key(o->asked.request)));
}

/* All that were asked on a connection that is gone. */
static void end_connection(struct jepsen *x, const struct line *l)
{
    for (size_t i = 0; i < x->open.capacity; i++) {
        struct operation *o = x->open.slot[i].value;
        if (!o || (l->connection && o->connection != l->connection))
            continue;
        end(x, o, l);
        i = (size_t)-1; /* slots have moved */
    }
}

static void say(struct jepsen *x, const struct line *l)
{
    struct operation *o = l->content.request[0] ? map_get(&x->open, request_key(l->content.request)) : NULL;
    if (l->skip)
        return;
    if (l->type == INVOKE)
        invoke(x, l);
    else if (l->type == INFO && !l->content.request[0])
        end_connection(x, l);
    else if (o)
        end(x, o, l);
}

/* --- the queue --- */

static struct line *line_add(struct jepsen *x, enum type type, const struct flow_at *at, uint64_t connection)
{
    struct line *l = calloc(1, sizeof *l);
    x->failed |= !l;
    if (!l)
        return NULL;
    *l = (struct line){.type = type, .time = at->time, .process = at->process, .sequence = at->sequence,
                       .connection = connection};
    *x->last = l;
    x->last = &l->next;
    x->waiting++;
    return l;
}

static void queue_flush(struct jepsen *x)
{
    while (x->first && x->first->ready) {
        struct line *l = x->first;
        x->first = l->next;
        if (!l->next)
            x->last = &x->first;
        x->waiting--;
        say(x, l);
        l->gone = true;
        if (!l->held)
            free(l);
    }
}

static void line_ready(struct jepsen *x, struct line *l)
{
    if (l)
        l->ready = true;
    if (l && l->gone)
        free(l);
    else if (l)
        l->held = false;
    queue_flush(x);
}

/* --- what is told --- */

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct jepsen *x = context;
    const struct raft_message *m = fact->message;
    track_fact(&x->track, fact);
    if (!m)
        return;
    x->pending = (struct content){.type = m->type, .value = m->value, .read = m->read, .success = m->success};
    memcpy(x->pending.name, m->name, sizeof x->pending.name);
    memcpy(x->pending.request, m->request, sizeof x->pending.request);
    memcpy(x->pending.key, m->key, sizeof x->pending.key);
    if (m->entries && m->entry) {
        memcpy(x->pending.text, m->entry[0].text, sizeof x->pending.text);
        x->pending.digest = m->entry[0].digest;
    }
}

static void on_event(void *context, const struct trace_event *event)
{
    struct jepsen *x = context;
    x->at = flow_at(event);
    x->pending.type = RAFT_NONE;
}

static void on_bytes(void *context, const struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length)
{
    struct jepsen *x = context;
    (void)end, (void)way, (void)data, (void)length;
    x->pending.type = RAFT_NONE;
}

/* Servers pass on what they were asked: that is no operation of a client. */
static bool is_server(const struct jepsen *x, uint32_t process)
{
    int node = cast_node(&x->cast, process);
    return node < 0 || x->track.node[node].speaks;
}

static void give_up_oldest(struct jepsen *x)
{
    x->given_up += !x->first->skip;
    x->first->ready = x->first->skip = true;
}

/* A line that waits for its content is the message's until then. */
struct expected {
    struct line *line;
    struct content answer;
};

static void on_sent(void *context, struct feed_message *m)
{
    struct jepsen *x = context;
    struct expected *e = NULL;
    bool client = !is_server(x, m->sent.process) && (x->pending.type == RAFT_NONE || x->pending.type == RAFT_CLIENT_REQUEST);
    if (client || x->pending.type == RAFT_CLIENT_RESULT)
        x->failed |= !(e = calloc(1, sizeof *e));
    if (e && client) {
        e->line = line_add(x, INVOKE, &m->sent, m->connection);
        if (e->line)
            e->line->held = true;
        if (e->line && x->pending.type == RAFT_CLIENT_REQUEST)
            e->line->content = x->pending;
    } else if (e) {
        e->answer = x->pending;
    }
    m->user = e;
    x->pending.type = RAFT_NONE;
}

static void answered(struct jepsen *x, const struct content *answer, const struct feed_message *m)
{
    /* A read that was refused read nothing; a write that was refused may be done all the same. */
    struct line *l = line_add(x, answer->success ? OK : answer->read ? FAIL : INFO, &m->received, m->connection);
    if (l)
        l->content = *answer;
    line_ready(x, l);
}

static void on_received(void *context, struct feed_message *m)
{
    struct jepsen *x = context;
    struct expected *e = m->user;
    x->unseen += !m->sent.process && x->pending.type == RAFT_CLIENT_REQUEST;
    if (e && e->line) {
        if (x->pending.type == RAFT_CLIENT_REQUEST)
            e->line->content = x->pending;
        e->line->skip |= e->line->content.type != RAFT_CLIENT_REQUEST || !e->line->content.request[0];
        line_ready(x, e->line);
    } else if (e && e->answer.request[0] && !is_server(x, m->received.process)) {
        answered(x, &e->answer, m);
    } else if (!e && x->pending.type == RAFT_CLIENT_RESULT && !is_server(x, m->received.process)) {
        answered(x, &x->pending, m);
    }
    free(e);
    m->user = NULL;
    x->pending.type = RAFT_NONE;
}

/* A request that no server received: nobody knows what it was, and it did nothing. */
static void on_lost(void *context, struct feed_message *m)
{
    struct jepsen *x = context;
    struct expected *e = m->user;
    if (e && e->line) {
        e->line->skip |= !e->line->content.request[0];
        line_ready(x, e->line);
    }
    free(e);
}

static void connection_ended(struct jepsen *x, uint64_t connection)
{
    struct line *l = line_add(x, INFO, &x->at, connection);
    if (l)
        l->sequence = UINT64_MAX;
    line_ready(x, l);
}

static void on_freed(void *context, const struct flow_connection *c)
{
    connection_ended(context, c->id);
}

static void on_after(void *context, const struct trace_event *event)
{
    struct jepsen *x = context;
    (void)event;
    if (x->waiting > QUEUE_MAX && !x->first->ready)
        give_up_oldest(x);
    queue_flush(x);
}

/* --- */

static void jepsen_fini(struct jepsen *x)
{
    for (size_t i = 0; i < x->open.capacity; i++)
        free(x->open.slot[i].value);
    map_fini(&x->open);
    for (struct line *l = x->first, *next; l; l = next) {
        next = l->next;
        free(l);
    }
    free(x->logical);
    track_fini(&x->track);
    cast_fini(&x->cast);
}

static void make_note(const struct jepsen *x, char *out, size_t size)
{
    if (x->given_up)
        snprintf(out, size, "%" PRIu64 " requests are left out: what they asked was not known in time", x->given_up);
    else if (x->unseen)
        snprintf(out, size, "%" PRIu64 " requests of clients that were not recorded are left out: the history "
                 "is not whole", x->unseen);
}

static bool jepsen_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    struct jepsen x = {.run = run, .out = out, .last = NULL};
    const struct feed_listener listener = {
        .context = &x, .out = out, .failed = &x.failed, .event = on_event, .fact = on_fact, .bytes = on_bytes,
        .sent = on_sent,
        .received = on_received, .lost = on_lost, .freed = on_freed, .after = on_after,
    };
    x.last = &x.first;
    bool good = (cast_init(&x.cast, run->process, run->processes) && track_init(&x.track, &x.cast, NULL, NULL)) ||
                error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(run->store, &x.cast, &listener, e);
    if (good)
        connection_ended(&x, 0); /* whatever is still open */
    result->events = x.index;
    make_note(&x, result->note, sizeof result->note);
    jepsen_fini(&x);
    return good;
}

const struct export_format export_jepsen = {
    .name = "jepsen",
    .nothing = "no client was recorded whose requests DRD understands (record them too: without --only)",
    .write = jepsen_write,
};
