/* Which situations a run went through: what a node became or was struck by, in what company, after which fault. Situations
 * are the same whichever node it is. A run that shows a new one is worth going on from (steer.c). */
#include "explore/explore.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "protocol/protocol.h"
#include "raft/model.h"
#include "raft/rule.h"
#include "store/store.h"

#define NODES 16 /* more are not told apart */

enum { FOLLOWER, CANDIDATE, LEADER, DEAD };

/* What is known of a node, by what it sends and writes. */
struct member {
    const char *name;
    uint8_t role;
    uint64_t term, last, last_term, commit;
};

struct coverage {
    struct explore_feature *out;
    size_t *count;
    struct member member[NODES];
    unsigned members;
    const struct store_process *process;
    size_t processes;
    uint64_t fault;  /* hash of the last one's kind */
    uint64_t begun;  /* the first process did */
    uint64_t struck; /* the last one was, since `begun` */
    uint64_t *when;  /* of each fact so far */
    size_t facts, facts_capacity;
};

struct coverage *coverage_create(struct explore_feature *out, size_t *count)
{
    struct coverage *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->out = out;
    c->count = count;
    *count = 0;
    return c;
}

void coverage_destroy(struct coverage *c)
{
    if (c)
        free(c->when);
    free(c);
}

void coverage_begin(void *context, const struct store_process *process, size_t count)
{
    struct coverage *c = context;
    c->process = process;
    c->processes = count;
    c->begun = count ? process[0].start : 0;
    for (size_t i = 1; i < count; i++)
        if (process[i].start < c->begun)
            c->begun = process[i].start;
}

static void add(struct coverage *c, const uint64_t *what, size_t words, uint64_t time, unsigned deep, const char *node)
{
    uint64_t hash = (XXH3_64bits(what, words * sizeof *what) & ~(uint64_t)EXPLORE_DEEP) | deep;
    for (size_t i = 0; i < *c->count; i++)
        if (c->out[i].hash == hash)
            return;
    if (*c->count == EXPLORE_FEATURES)
        return;
    struct explore_feature *f = &c->out[(*c->count)++];
    *f = (struct explore_feature){.hash = hash, .time = time > c->begun ? time - c->begun : 0};
    if (node && strlen(node) < sizeof f->node)
        strcpy(f->node, node);
}

/* NULL: no node of Raft, as far as one knows. Those show themselves by what they say, write or state of Raft: `shown`. */
static struct member *member_of(struct coverage *c, uint32_t process, bool shown)
{
    const char *name = NULL;
    for (size_t i = 0; i < c->processes && !name; i++)
        if (c->process[i].number == process)
            name = c->process[i].node;
    for (unsigned i = 0; name && i < c->members; i++)
        if (!strcmp(c->member[i].name, name))
            return &c->member[i];
    if (!name || !shown || c->members == NODES)
        return NULL;
    c->member[c->members] = (struct member){.name = name};
    return &c->member[c->members++];
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t compare(uint64_t a, uint64_t b)
{
    return a < b ? 0 : a == b ? 1 : 2;
}

/* All others as this one sees them, in an order that does not depend on their names. */
static uint64_t company(const struct coverage *c, const struct member *m)
{
    uint64_t seen[NODES];
    unsigned n = 0;
    for (unsigned i = 0; i < c->members; i++) {
        const struct member *o = &c->member[i];
        uint64_t log = o->last_term == m->last_term ? compare(o->last, m->last) : compare(o->last_term, m->last_term);
        if (o != m)
            seen[n++] = (uint64_t)o->role * 9 + compare(o->term, m->term) * 3 + log;
    }
    qsort(seen, n, sizeof *seen, by_value);
    return XXH3_64bits(seen, n * sizeof *seen);
}

enum situation { CHANGED = 1, STARTED, STRUCK, REPLACED, COMMITTED, REFUSED, FAILED, BROKE, FORKED, ENDANGERED };

static void situation(struct coverage *c, enum situation what, uint64_t more, const struct member *m, uint64_t time)
{
    const uint64_t words[] = {what, more, m->role, company(c, m), c->fault};
    add(c, words, sizeof words / sizeof *words, time, what >= BROKE ? 1 + what - BROKE : 0, m->name);
}

static void change(struct coverage *c, struct member *m, uint8_t role, uint64_t term, uint64_t time)
{
    uint64_t steps = term > m->term ? (term - m->term > 1 ? 2 : 1) : 0, was = m->role;
    if (role == m->role && term <= m->term)
        return;
    m->role = role;
    if (term > m->term)
        m->term = term;
    situation(c, CHANGED, was * 3 + steps, m, time);
}

static void sent(struct coverage *c, struct member *m, const struct raft_message *r, uint64_t time)
{
    if (r->type == RAFT_REQUEST_VOTE && !r->pre_vote)
        change(c, m, CANDIDATE, r->term, time);
    else if (r->type == RAFT_APPEND_ENTRIES || r->type == RAFT_INSTALL_SNAPSHOT)
        change(c, m, LEADER, r->term, time);
    else if (r->type == RAFT_APPEND_ENTRIES_RESULT)
        change(c, m, FOLLOWER, r->term, time);
    if ((r->type == RAFT_APPEND_ENTRIES_RESULT || r->type == RAFT_REQUEST_VOTE_RESULT) && !r->success)
        situation(c, REFUSED, (uint64_t)r->type, m, time);
    if (r->type == RAFT_INSTALL_SNAPSHOT)
        situation(c, REFUSED, (uint64_t)r->type, m, time);
}

static void append(struct coverage *c, struct member *m, const struct raft_entry *e, uint64_t time)
{
    if (e->index <= m->last && e->term != m->last_term)
        situation(c, REPLACED, e->index <= m->commit, m, time);
    if (e->type == 'm')
        situation(c, REPLACED, 2, m, time);
    for (unsigned i = 0; i < c->members && m->role == LEADER; i++)
        if (c->member[i].last >= e->index && c->member[i].last_term < e->term) {
            situation(c, FORKED, 0, m, time); /* two logs go on from one place: one of them will have to yield */
            break;
        }
    m->last = e->index;
    m->last_term = e->term;
}

static void commit(struct coverage *c, struct member *m, uint64_t index, uint64_t time)
{
    if (index <= m->commit)
        return;
    m->commit = index;
    situation(c, COMMITTED, m->last_term < m->term, m, time);
    for (unsigned i = 0; i < c->members && m->role == LEADER && m->last_term < m->term; i++)
        if (c->member[i].last_term > m->last_term) {
            situation(c, ENDANGERED, 0, m, time); /* somebody has a better log without that entry, and can be elected */
            break;
        }
}

static void role_stated(struct coverage *c, struct member *m, const struct raft_fact *f)
{
    static const uint8_t roles[] = {FOLLOWER, CANDIDATE, LEADER, FOLLOWER};
    if (f->role >= 0 && f->role < 4)
        change(c, m, roles[f->role], f->term, f->time);
}

/* By `drd fault`, or the world: not by a node. */
static void struck(struct coverage *c, const struct raft_fact *f)
{
    static const struct member nobody;
    c->struck = f->time > c->begun ? f->time - c->begun : 0;
    c->fault = f->text ? XXH3_64bits(f->text, strcspn(f->text, " ")) : 1;
    situation(c, STRUCK, c->fault, &nobody, f->time);
}

static void fact_time(struct coverage *c, uint64_t time)
{
    if (c->facts == c->facts_capacity) {
        size_t capacity = c->facts_capacity ? 2 * c->facts_capacity : 4096;
        uint64_t *more = realloc(c->when, capacity * sizeof *more);
        if (!more)
            return; /* what comes later has no time */
        c->when = more;
        c->facts_capacity = capacity;
    }
    c->when[c->facts++] = time;
}

void coverage_fact(void *context, const struct raft_fact *f)
{
    struct coverage *c = context;
    fact_time(c, f->time);
    if (f->kind == RAFT_FACT_FAULT)
        struck(c, f);
    struct member *m = member_of(c, f->process, f->kind != RAFT_FACT_FAULT && f->kind != RAFT_FACT_START);
    if (!m || f->kind == RAFT_FACT_FAULT)
        return;
    if (f->kind == RAFT_FACT_SENT && f->message)
        sent(c, m, f->message, f->time);
    else if (f->kind == RAFT_FACT_ROLE)
        role_stated(c, m, f);
    else if (f->kind == RAFT_FACT_TERM && f->term > m->term)
        change(c, m, m->role == LEADER ? FOLLOWER : m->role, f->term, f->time);
    else if (f->kind == RAFT_FACT_APPEND && !f->again)
        append(c, m, &f->entry, f->time);
    else if (f->kind == RAFT_FACT_TRUNCATE && f->index < m->last)
        situation(c, REPLACED, f->index < m->commit ? 1 : 3, m, f->time);
    else if (f->kind == RAFT_FACT_COMMIT)
        commit(c, m, f->index, f->time);
    else if (f->kind == RAFT_FACT_APPLY)
        commit(c, m, f->entry.index, f->time);
    else if (f->kind == RAFT_FACT_START) {
        situation(c, STARTED, m->role, m, f->time);
        m->role = FOLLOWER;
    } else if (f->kind == RAFT_FACT_WRITE_FAILED)
        situation(c, FAILED, 0, m, f->time);
}

void coverage_end(void *context, const struct raft_model *model, uint64_t end)
{
    struct coverage *c = context;
    (void)end;
    for (size_t i = 0; i < model->breaks; i++) {
        const struct raft_break *b = &model->rule_break[i];
        const uint64_t words[] = {BROKE, (uint64_t)b->class, b->likely, i < 8 ? i : 8};
        add(c, words, sizeof words / sizeof *words, b->at.order < c->facts ? c->when[b->at.order] : c->begun, 1,
            model->node[b->at.node].name);
    }
    for (size_t i = 0; c->struck && i < *c->count; i++)
        if (c->out[i].time > c->struck)
            c->out[i].time = EXPLORE_LATE;
}
