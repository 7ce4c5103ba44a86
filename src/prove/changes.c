/* What could have gone otherwise: the messages, timers and draws behind the steps of a chain, and the faults before it. */
#include "prove/prove.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)
#define BACK 2        /* messages received before an event that may be what it acts on */
#define SAID 4        /* messages that went out by one call */
#define COMMANDS 6    /* of clients, to one node */
#define REQUESTS 8    /* ... to all */
#define REQUESTS_SEEN 24
#define TURN 200      /* records between two waits */
#define LOOKED_AT 500 /* rows, records */
#define FAULTS 8
#define OTHER_NUMBER 0x5aa5a5a5

struct message {
    uint32_t from, to;
    uint64_t sent;
    char type[48];
};

struct request {
    struct message message;
    uint64_t when; /* ns of the world */
};

struct changes {
    const struct prove_subject *subject;
    struct prove_change *out;
    size_t count;
    struct request request[REQUESTS_SEEN];
    size_t requests;
};

static const struct store_process *process_of(const struct prove_subject *s, uint32_t number)
{
    for (size_t i = 0; i < s->processes; i++)
        if (s->process[i].number == number)
            return &s->process[i];
    return NULL;
}

static bool is_member(const struct prove_subject *s, uint32_t process)
{
    const struct raft_model *m = s->verdict->model;
    for (size_t i = 0; i < m->processes; i++)
        if (m->process[i].number == process)
            return m->process[i].node >= 0 && verdict_member(s->verdict, (size_t)m->process[i].node);
    return false;
}

/* Events have the time at which their node last looked at a clock. */
uint64_t prove_when(const struct prove_subject *s, uint32_t process, uint64_t sequence)
{
    struct trace_event event;
    struct drd_error e = {0};
    struct stream *st = stream_open(s->store, process, &e);
    uint64_t time = 0;
    if (st && stream_seek(st, sequence, &e) > 0 && stream_next(st, &event, &e) > 0)
        time = event.time;
    for (int i = 0; time && i < LOOKED_AT && stream_next(st, &event, &e) > 0; i++) {
        if (event.time > time) {
            time = event.time;
            break;
        }
    }
    stream_close(st);
    return time > s->begin ? time - s->begin : 0;
}

/* ---- one more ---- */

static bool is_known(const struct changes *c, const struct prove_change *one)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct prove_change *other = &c->out[i];
        if (other->without == one->without && other->step.kind == one->step.kind && other->step.process == one->step.process &&
            other->step.event == one->step.event && other->step.value == one->step.value)
            return true;
    }
    return false;
}

/* `option` and its value, where it has one, go around the event's name. */
static void change_add(struct changes *c, const struct plan_step *step, bool decision, const char *option, const char *value,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));

static void change_add(struct changes *c, const struct plan_step *step, bool decision, const char *option, const char *value,
                       const char *format, ...)
{
    const struct store_process *p = process_of(c->subject, step->process);
    struct prove_change one = {.step = *step, .decision = decision};
    char event[96];
    va_list args;
    if (!p || c->count == PROOF_TRIALS || is_known(c, &one))
        return;
    event_name(p, step->event, event, sizeof event);
    snprintf(one.option, sizeof one.option, "%s %.90s%.250s", option, event, value);
    va_start(args, format);
    vsnprintf(one.text, sizeof one.text, format, args);
    va_end(args);
    one.from = prove_when(c->subject, step->process, step->event);
    c->out[c->count++] = one;
}

/* So late that nothing in the run, nor what still waits for it, hears of it: ns. */
static int64_t late(const struct changes *c, uint32_t process, uint64_t event)
{
    const struct prove_subject *s = c->subject;
    uint64_t at = prove_when(s, process, event), length = s->end - s->begin;
    return ((int64_t)(length > at ? length - at : 0) + 10 * SECOND) / MS * MS;
}

/* ---- messages ---- */

static void message_change(struct changes *c, const struct message *m, enum plan_kind kind)
{
    const struct raft_witness *cause = &c->subject->verdict->cause.rule_break->at;
    const struct store_process *from = process_of(c->subject, m->from), *to = process_of(c->subject, m->to);
    struct plan_step step = {.kind = kind, .process = m->from, .event = m->sent};
    bool decision = m->from == cause->process && m->sent == cause->sequence;
    char value[32] = "";
    if (!from || !to)
        return;
    if (kind == PLAN_DROP) {
        change_add(c, &step, decision, "--drop", value, "the %.40s of %.40s to %.40s is lost", m->type, from->node, to->node);
        return;
    }
    step.value = late(c, m->from, m->sent);
    snprintf(value, sizeof value, "=%" PRId64 "ms", step.value / MS);
    change_add(c, &step, decision, "--delay", value, "the %.40s of %.40s to %.40s, and what follows it there, comes %" PRId64
               " s late", m->type, from->node, to->node, step.value / SECOND);
}

/* Nothing of Raft is said in it: that the link does not come about would be another experiment. */
static bool is_greeting(const char *type)
{
    return !strcmp(type, "hello") || !strcmp(type, "message");
}

static bool message_read(const struct changes *c, sqlite3_stmt *q, struct message *m)
{
    const char *type = (const char *)sqlite3_column_text(q, 3);
    *m = (struct message){(uint32_t)sqlite3_column_int64(q, 0), (uint32_t)sqlite3_column_int64(q, 2),
                          (uint64_t)sqlite3_column_int64(q, 1), ""};
    snprintf(m->type, sizeof m->type, "%s", type && strcmp(type, "data") ? type : "message");
    return is_member(c->subject, m->from) && is_member(c->subject, m->to);
}

static sqlite3_stmt *messages_find(const struct changes *c, const char *sql, uint32_t process, uint64_t sequence)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(store_database(c->subject->store), sql, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(q, 1, process);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)sequence);
    return q;
}

/* Up to `most` of those between members that the query finds. */
static void messages_change(struct changes *c, const char *sql, uint32_t process, uint64_t sequence, int most, enum plan_kind kind)
{
    sqlite3_stmt *q = messages_find(c, sql, process, sequence);
    struct message m;
    for (int row = 0; q && row < LOOKED_AT && most && sqlite3_step(q) == SQLITE_ROW; row++) {
        if (!message_read(c, q, &m) || is_greeting(m.type))
            continue;
        message_change(c, &m, kind);
        most--;
    }
    sqlite3_finalize(q);
}

#define MESSAGE "SELECT sender_process, sender_sequence, receiver_process, type, receiver_sequence FROM message WHERE sender_process IS NOT NULL" \
                " AND receiver_process IS NOT NULL AND "
static const char heard[] = MESSAGE "receiver_process = ?1 AND receiver_sequence <= ?2 ORDER BY receiver_sequence DESC";
static const char said[] = MESSAGE "sender_process = ?1 AND sender_sequence = ?2";

/* ---- the steps ---- */

/* What a node acted on there, and where it said something there, that. */
static void event_changes(struct changes *c, const struct raft_witness *at, enum plan_kind kind)
{
    if (at->how == RAFT_HOW_NONE)
        return;
    messages_change(c, heard, at->process, at->sequence, 1, kind);
    messages_change(c, said, at->process, at->sequence, SAID, kind);
}

static void request_add(struct changes *c, const struct message *m)
{
    if (c->requests < REQUESTS_SEEN)
        c->request[c->requests++] = (struct request){*m, prove_when(c->subject, m->from, m->sent)};
}

/* What the node acted on there came from a client, if that was the last that it heard at all. */
static void request_find(struct changes *c, uint32_t process, uint64_t sequence)
{
    sqlite3_stmt *q = messages_find(c, heard, process, sequence);
    struct message m;
    if (q && sqlite3_step(q) == SQLITE_ROW && !message_read(c, q, &m) && !is_member(c->subject, m.from))
        request_add(c, &m);
    sqlite3_finalize(q);
}

/* A request after which the node waits, and has neither made anything durable nor said anything to another, was a question. */
static bool is_waiting(int32_t call)
{
    return call == SYS_epoll_wait || call == SYS_epoll_pwait || call == SYS_epoll_pwait2 || call == SYS_poll || call == SYS_ppoll ||
           call == SYS_select || call == SYS_pselect6;
}

static bool is_durable(int32_t call)
{
    return call == SYS_fsync || call == SYS_fdatasync || call == SYS_rename || call == SYS_renameat || call == SYS_renameat2;
}

static bool speaks_there(const struct changes *c, uint32_t process, uint64_t sequence)
{
    sqlite3_stmt *q = messages_find(c, said, process, sequence);
    struct message m;
    bool found = false;
    while (q && !found && sqlite3_step(q) == SQLITE_ROW)
        found = message_read(c, q, &m);
    sqlite3_finalize(q);
    return found;
}

static bool is_command(const struct changes *c, uint32_t process, uint64_t received)
{
    struct trace_event event;
    struct drd_error e = {0};
    struct stream *st = stream_open(c->subject->store, process, &e);
    bool acted = false, good = st && stream_seek(st, received + 1, &e) > 0;
    for (int i = 0; good && !acted && i < TURN && stream_next(st, &event, &e) > 0 && !is_waiting(event.code); i++)
        acted = is_durable(event.code) || speaks_there(c, process, event.sequence);
    stream_close(st);
    return acted;
}

/* What clients asked a process to do, the latest first. */
static void commands_find(struct changes *c, uint32_t process, uint64_t until, int *most)
{
    sqlite3_stmt *q = messages_find(c, heard, process, until);
    struct message m;
    for (int row = 0; q && row < LOOKED_AT && *most && sqlite3_step(q) == SQLITE_ROW; row++) {
        if (message_read(c, q, &m) || is_member(c->subject, m.from) || !is_command(c, process, (uint64_t)sqlite3_column_int64(q, 4)))
            continue;
        request_add(c, &m);
        (*most)--;
    }
    sqlite3_finalize(q);
}

/* Of the node of the cause, also before it was started again. */
static void node_commands_find(struct changes *c)
{
    const struct prove_subject *s = c->subject;
    const struct raft_witness *at = &s->verdict->cause.rule_break->at;
    const struct store_process *own = process_of(s, at->process);
    int most = COMMANDS;
    for (size_t i = s->processes; own && most && i-- > 0;) {
        const struct store_process *p = &s->process[i];
        if (p->number <= own->number && !strcmp(p->node, own->node) && is_member(s, p->number))
            commands_find(c, p->number, p == own ? at->sequence : INT64_MAX, &most);
    }
}

static int by_when(const void *a, const void *b)
{
    const struct request *x = a, *y = b;
    return x->when > y->when ? -1 : x->when < y->when;
}

/* What clients asked for at the cause, at the steps before it, and of its node; the latest first: what came before all that makes
 * for a run in which little happens. */
static void requests_changes(struct changes *c)
{
    const struct cause *cause = &c->subject->verdict->cause;
    request_find(c, cause->rule_break->at.process, cause->rule_break->at.sequence);
    for (size_t i = cause->steps; i-- > 0;) {
        if (cause->step[i].at.order <= cause->rule_break->at.order && cause->step[i].at.how != RAFT_HOW_NONE)
            request_find(c, cause->step[i].at.process, cause->step[i].at.sequence);
    }
    node_commands_find(c);
    qsort(c->request, c->requests, sizeof *c->request, by_when);
    for (size_t i = 0, before = c->count; i < c->requests && c->count < before + REQUESTS; i++)
        message_change(c, &c->request[i].message, PLAN_DROP);
}

static void timer_changes(struct changes *c, const struct chain_step *step)
{
    struct plan_step change = {.kind = PLAN_TIMER, .process = step->at.process, .event = step->waited};
    const char *node = c->subject->verdict->model->node[step->at.node].name;
    char value[32];
    if (step->waited != CHAIN_NOTHING) {
        change.value = late(c, change.process, change.event);
        snprintf(value, sizeof value, "=+%" PRId64 "ms", change.value / MS);
        change_add(c, &change, false, "--timer", value, "%.60s waits %" PRId64 " s longer there", node, change.value / SECOND);
    }
    if (step->drawn != CHAIN_NOTHING) {
        change = (struct plan_step){.kind = PLAN_DRAW, .process = step->at.process, .event = step->drawn, .value = OTHER_NUMBER};
        snprintf(value, sizeof value, "=%" PRId64, change.value);
        change_add(c, &change, false, "--draw", value, "%.60s draws another number there", node);
    }
}

/* ---- what an apply took from outside ---- */

/* What a file said, as drd whatif takes it and as a plan keeps it. False: too long for that. */
static bool bytes_put(const struct trace_bytes *b, size_t size, char value[256], char words[200])
{
    size_t v = 0;
    if (size > 60 || b->length < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = b->data[i];
        bool plain = c > ' ' && c < 127 && c != '\\';
        v += (size_t)snprintf(value + v, 5, plain ? "%c" : c == '\n' ? "\\n" : "\\x%02x", c);
        snprintf(words + 2 * i, 3, "%02x", c);
    }
    return true;
}

/* The step that gives another node what this event gave. */
static bool taken_read(const struct changes *c, uint32_t process, uint64_t sequence, struct plan_step *step, char value[256])
{
    struct trace_event event;
    struct drd_error e = {0};
    struct stream *st = stream_open(c->subject->store, process, &e);
    bool good = st && stream_seek(st, sequence, &e) > 0 && stream_next(st, &event, &e) > 0;
    *value = *step->words = 0;
    if (good && step->kind == PLAN_READ) {
        good = event.result >= 0 && bytes_put(&event.output[1], (size_t)event.result, value, step->words);
    } else if (good && step->kind == PLAN_CLOCK) {
        step->value = event.field[1] * SECOND + event.field[2];
    } else if (good) {
        good = event.code == SYS_getrandom && event.result > 0;
        step->value = 0;
        if (good)
            memcpy(&step->value, event.output[0].data, event.output[0].length < 8 ? event.output[0].length : 8);
    }
    if (good && step->kind != PLAN_READ)
        snprintf(value, 256, "%" PRId64, step->value);
    stream_close(st);
    return good;
}

static void taken_add(struct changes *c, struct prove_change *one, const struct chain_step *step, const struct plan_step *given,
                      const char *option, const char *value)
{
    const struct store_process *p = process_of(c->subject, step->at.process);
    size_t used = strlen(one->option);
    char event[96];
    if (!p || one->mores == PROVE_STEPS - 1)
        return;
    struct plan_step *to = *one->option ? &one->more[one->mores++] : &one->step;
    *to = *given;
    to->process = step->at.process;
    to->event = step->taken;
    event_name(p, step->taken, event, sizeof event);
    snprintf(one->option + used, sizeof one->option - used, "%s%s %.90s=%s", used ? " " : "", option, event, value);
}

/* State machines that were given the same and differ took something else from outside: all are given what the first took. */
static void taken_changes(struct changes *c)
{
    static const struct { enum plan_kind kind; const char *option, *text; } by[] = {
        [CHAIN_TOOK_DRAW] = {PLAN_DRAW, "--draw", "all draw the number that was drawn at %.90s"},
        [CHAIN_TOOK_DAY] = {PLAN_CLOCK, "--clock", "all read the time of day that was read at %.90s"},
        [CHAIN_TOOK_FILE] = {PLAN_READ, "--read", "all read in the file what was read at %.90s"},
    };
    const struct cause *cause = &c->subject->verdict->cause;
    const struct chain_step *first = NULL;
    struct prove_change one = {0};
    struct plan_step given = {0};
    char value[256];
    for (size_t i = 0; cause->rule_break->class == RAFT_T24 && i < cause->steps; i++) {
        const struct chain_step *step = &cause->step[i];
        if (step->took == CHAIN_TOOK_NOTHING || step->took >= CHAIN_TOOK_OTHER || (first && step->took != first->took))
            continue;
        given.kind = by[step->took].kind;
        if (!first && taken_read(c, step->at.process, step->taken, &given, value))
            first = step;
        else if (first)
            taken_add(c, &one, step, &given, by[step->took].option, value);
    }
    if (!*one.option || c->count == PROOF_TRIALS)
        return;
    event_name(process_of(c->subject, first->at.process), first->taken, value, sizeof value);
    snprintf(one.text, sizeof one.text, by[first->took].text, value);
    one.from = prove_when(c->subject, one.step.process, one.step.event);
    c->out[c->count++] = one;
}

/* Faults of the plan before the cause, the latest first. */
static void fault_changes(struct changes *c, uint64_t before)
{
    const struct plan *p = c->subject->plan;
    for (size_t i = p ? p->count : 0, faults = 0; i-- > 0 && faults < FAULTS && c->count < PROOF_TRIALS;) {
        struct prove_change *one = &c->out[c->count];
        if (p->step[i].kind != PLAN_FAULT || p->step[i].at > before)
            continue;
        *one = (struct prove_change){.without = i + 1, .from = p->step[i].at};
        snprintf(one->text, sizeof one->text, "without the fault \"%.150s\" at %.6f s", p->step[i].words, (double)p->step[i].at / 1e9);
        c->count++;
        faults++;
    }
}

/* What the rule was broken with, and what the node heard before. */
static void reasons_changes(struct changes *c, enum plan_kind kind)
{
    const struct raft_break *b = c->subject->verdict->cause.rule_break;
    for (size_t i = b->reasons; i-- > 0;)
        event_changes(c, &b->reason[i].at, kind);
    messages_change(c, heard, b->at.process, b->at.sequence, BACK, kind);
}

/* What set the stage, backwards. */
static void steps_changes(struct changes *c, enum plan_kind kind)
{
    const struct cause *cause = &c->subject->verdict->cause;
    for (size_t i = cause->steps; i-- > 0;) {
        if (cause->step[i].at.order <= cause->rule_break->at.order)
            event_changes(c, &cause->step[i].at, kind);
    }
}

static void timers_changes(struct changes *c)
{
    const struct cause *cause = &c->subject->verdict->cause;
    for (size_t i = cause->steps; i-- > 0;) {
        if (cause->step[i].at.order <= cause->rule_break->at.order)
            timer_changes(c, &cause->step[i]);
    }
}

size_t prove_changes(const struct prove_subject *s, struct prove_change out[PROOF_TRIALS])
{
    const struct raft_break *b = s->verdict->cause.rule_break;
    struct changes c = {.subject = s, .out = out};
    if (!b)
        return 0;
    taken_changes(&c);
    event_changes(&c, &b->at, PLAN_DROP);
    event_changes(&c, &b->at, PLAN_DELAY);
    reasons_changes(&c, PLAN_DROP);
    reasons_changes(&c, PLAN_DELAY);
    requests_changes(&c);
    timers_changes(&c);
    fault_changes(&c, prove_when(s, b->at.process, b->at.sequence));
    steps_changes(&c, PLAN_DROP);
    steps_changes(&c, PLAN_DELAY);
    return c.count;
}
