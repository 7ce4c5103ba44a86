/* The cluster model, its rules and what is made of them, on facts made of any bytes: whatever an adapter makes of a hostile
 * stream, the work and the memory stay bounded and the words are printed.
 *
 * A byte chooses what happens; messages in flight are kept, so that one that was sent can arrive, twice, late, elsewhere. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"

#define ENTRIES 6
#define FLIGHT 8
#define PROCESSES 7
#define STEPS 4096 /* in one input: the time it takes is in proportion to them */

struct source {
    const uint8_t *p, *end;
};

struct packet {
    struct raft_message message;
    struct raft_entry entry[ENTRIES];
};

struct play {
    struct raft_model *model;
    struct source source;
    struct packet flight[FLIGHT];
    uint64_t sent, sequence, time;
};

static uint8_t byte(struct source *s)
{
    return s->p < s->end ? *s->p++ : 0;
}

/* Mostly small, sometimes at the edge of what 64 bits hold. */
static uint64_t number(struct source *s)
{
    uint8_t b = byte(s);
    if (b < 0xf0)
        return b % 24;
    if (b < 0xf8)
        return (uint64_t)byte(s) << (byte(s) & 63);
    return UINT64_MAX - b % 4;
}

static const char *pick(struct source *s, const char *const *from, size_t count)
{
    return from[byte(s) % count];
}
#define PICK(s, ...) pick(s, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* 63 bytes, as long as an id can be. */
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void id(struct source *s, char out[RAFT_NODE_NAME])
{
    snprintf(out, RAFT_NODE_NAME, "%s", PICK(s, "0", "1", "2", "0", "1", "2", "3", "", "4", LONG, "|", "%s*"));
}

static const char *members(struct source *s)
{
    return PICK(s, NULL, NULL, "0 1 2", "0 1 2 3", "0 1", "0", "0 1 2*", "0 1 2 | 0 1 3", "|", "", "*", " | | ", "0=a:1 1=b:2 2=",
                LONG LONG " " LONG "*|", "0 0 0 1", "= * =*");
}

static struct raft_entry entry(struct source *s, uint64_t index)
{
    uint8_t kind = byte(s);
    struct raft_entry e = {.index = index, .term = number(s), .digest = kind % 4, .type = "ccnm?"[kind % 5]};
    memset(e.text, kind >> 1, kind % sizeof e.text);
    e.members = e.type == 'm' ? members(s) : NULL;
    return e;
}

static void client_fill(struct raft_message *m, struct source *s)
{
    snprintf(m->request, sizeof m->request, "%s", PICK(s, "r1", "r2", "r3", "r4", ""));
    snprintf(m->once, sizeof m->once, "%s", PICK(s, "", "o1", "o2"));
    snprintf(m->key, sizeof m->key, "%s", PICK(s, "k", "l", "", "x"));
    m->value = byte(s) % 5;
    m->read = byte(s) & 1;
}

static void message_fill(struct packet *p, struct source *s)
{
    struct raft_message *m = &p->message;
    uint8_t flags;
    *m = (struct raft_message){.type = byte(s) % (RAFT_CLIENT_RESULT + 1), .term = number(s), .prev_index = number(s)};
    m->prev_term = number(s);
    m->commit = number(s);
    m->match = number(s);
    id(s, m->from);
    id(s, m->to);
    flags = byte(s);
    m->success = !(flags & 1);
    m->pre_vote = (flags & 6) == 6;
    m->may_disregard = flags & 8;
    m->round = flags >> 4 & 3;
    m->id = flags & 64 ? byte(s) : 0;
    m->asked = flags & 128 ? number(s) : 0;
    if (flags & 128)
        id(s, m->vote);
    if (m->type >= RAFT_OTHER)
        client_fill(m, s);
    snprintf(m->name, sizeof m->name, "%s", PICK(s, "append", ""));
    m->length = number(s);
    m->entries = byte(s) % (ENTRIES + 1);
    for (size_t i = 0; i < m->entries; i++)
        p->entry[i] = entry(s, m->prev_index + 1 + i);
    if (m->entries && (flags & 48) == 48) /* as no honest adapter tells it */
        p->entry[m->entries - 1].index = number(s);
}

static struct raft_fact fact_of(struct play *p, enum raft_fact_kind kind)
{
    uint8_t b = byte(&p->source);
    p->time += b >> 4 << (b & 15);
    p->sequence++;
    return (struct raft_fact){.kind = kind, .process = b % PROCESSES, .sequence = p->sequence, .thread = b >> 6 == 3,
                              .time = p->time, .protocol = b & 8 ? "a" : "b"};
}

static void tell(struct play *p, struct raft_fact *fact, const struct packet *packet)
{
    struct raft_message m;
    if (packet) {
        m = packet->message;
        m.entry = packet->entry;
        fact->message = &m;
    }
    raft_model_step(p->model, fact);
}

static void send_new(struct play *p)
{
    struct packet *packet = &p->flight[p->sent++ % FLIGHT];
    message_fill(packet, &p->source);
    struct raft_fact fact = fact_of(p, RAFT_FACT_SENT);
    tell(p, &fact, packet);
}

static void receive(struct play *p)
{
    const struct packet *packet = &p->flight[byte(&p->source) % FLIGHT];
    struct raft_fact fact = fact_of(p, RAFT_FACT_RECEIVED);
    tell(p, &fact, packet);
}

/* The result that the message in flight asks for. */
static void answer(struct play *p)
{
    const struct raft_message *asked = &p->flight[byte(&p->source) % FLIGHT].message;
    struct packet *packet = &p->flight[p->sent++ % FLIGHT];
    struct raft_message m = *asked;
    m.type = asked->type % 2 && asked->type < RAFT_TIMEOUT_NOW ? asked->type + 1 : asked->type == RAFT_CLIENT_REQUEST ? RAFT_CLIENT_RESULT
                                                                                                           : asked->type;
    memcpy(m.from, asked->to, sizeof m.from);
    memcpy(m.to, asked->from, sizeof m.to);
    m.match = asked->prev_index + asked->entries;
    m.entries = 0;
    m.success = byte(&p->source) % 4 != 3;
    packet->message = m;
    struct raft_fact fact = fact_of(p, RAFT_FACT_SENT);
    tell(p, &fact, packet);
}

static void state(struct play *p)
{
    struct source *s = &p->source;
    enum raft_fact_kind kind = byte(s) % (RAFT_FACT_TEXT + 2);
    struct raft_fact fact = fact_of(p, kind);
    uint8_t flags = byte(s);
    fact.written = flags & 1;
    fact.durable = flags & 2;
    fact.again = (flags & 6) == 6;
    fact.loaded = (flags & 24) == 24;
    fact.role = flags >> 5 & 3;
    fact.term = number(s);
    fact.index = number(s);
    id(s, fact.peer);
    fact.entry = entry(s, flags & 128 ? number(s) : fact.index);
    fact.text = kind == RAFT_FACT_CONFIGURATION ? members(s)
                                                : PICK(s, "cut", "heal", "refuse", "fsync log: EIO", "", NULL, LONG LONG LONG LONG LONG);
    if (kind == RAFT_FACT_FAULT)
        snprintf(fact.peer, sizeof fact.peer, "%s", PICK(s, "s0", "s1", "s2", "s9", ""));
    raft_model_step(p->model, &fact); /* SENT and RECEIVED without a message as well */
}

static void (*const acts[])(struct play *p) = {send_new, receive, answer, state, receive, state, answer, send_new};

static bool play_init(struct play *p, const uint8_t *data, size_t size)
{
    static const char *const names[PROCESSES] = {"s0", "s1", "s2", "s0", "s1", "s9", "s0"};
    uint8_t ends;
    *p = (struct play){.model = raft_model_create(), .source = {data, data + size}};
    if (!p->model)
        return false;
    ends = byte(&p->source);
    if (ends & 128) /* it soon forgets what is old */
        p->model->tail = 1;
    for (uint32_t i = 0; i + 1 < PROCESSES; i++) { /* of the last the model is not told */
        raft_model_process(p->model, i, names[i], i < 3 ? 1 : 2, i * 10, i == 5 ? 0 : i * 10 + 15, !(ends & 1 << i));
        raft_model_status(p->model, i, ends & 64 ? 9 : 0);
    }
    return true;
}

/* In all forms, for every state that the run may be in. */
static void judge(struct raft_model *m, const char *run_state)
{
    static const struct verdict_style plain = {"", "", "", "", "", "", false};
    struct verdict v;
    struct json_writer j;
    FILE *out = fopen("/dev/null", "w");
    if (!out)
        abort();
    raft_model_finish(m);
    verdict_init(&v, m, NULL, 0, run_state);
    verdict_print(&v, "run", &plain, out);
    jw_init(&j, out);
    verdict_json(&v, "run", &j);
    if (v.cause.steps > CHAIN_STEPS || v.gaps > VERDICT_GAPS || (v.cause.certainty != CERTAINTY_UNKNOWN && !v.cause.rule_break))
        abort();
    for (size_t i = 0; i < m->findings; i++) { /* the cause of each, not only of the one that is told */
        struct cause c;
        cause_find(&c, m, &m->finding[i], NULL);
    }
    fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play *p = calloc(1, sizeof *p);
    if (!p)
        return 0;
    if (play_init(p, data, size)) {
        for (unsigned n = 0; n < STEPS && p->source.p < p->source.end; n++)
            acts[byte(&p->source) % 8](p);
        judge(p->model, size % 3 ? "complete" : size % 2 ? "recording" : "");
    }
    raft_model_destroy(p->model);
    free(p);
    return 0;
}
