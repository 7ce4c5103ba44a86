/* A small Raft cluster, made to run for thousands of steps with messages lost, doubled and overtaken, nodes killed and
 * restarted, all from one seed; its facts go into the model. Done right, the model must find nothing. With a mistake
 * planted, it must name the property that the mistake breaks, and none in runs where the mistake did no harm.
 *
 * The judge is the simulation itself: it knows what each node applied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raft/properties.h"
#include "raft/rule.h"

#define NODES 3
#define LOG_MAX 512
#define FLIGHT_MAX 256
#define BATCH 4

enum mistake { NONE, DOUBLE_VOTE, COUNT_OLD_TERM, LOSE_ACKNOWLEDGED };
/* What the model is shown. */
enum sight { MESSAGES, MESSAGES_AND_DISK, MARKS };

struct peer {
    uint64_t term, vote_term;
    int vote;                    /* -1: nobody */
    int role;                    /* 0 follower, 1 candidate, 2 leader */
    uint64_t last, commit, applied;
    struct raft_entry log[LOG_MAX];
    uint64_t next[NODES], match[NODES];
    unsigned votes;
    uint32_t process, incarnation;
    uint64_t sequence;
};

struct packet {
    int from, to;
    struct raft_message message;
    struct raft_entry entry[BATCH];
};

#define TAIL 16

struct world {
    struct raft_model *model;
    struct peer node[NODES];
    struct packet flight[FLIGHT_MAX];
    size_t flying;
    uint64_t seed, value, time;
    uint32_t processes;
    enum mistake mistake;
    enum sight sight;
    uint64_t truth[LOG_MAX]; /* content that was applied first at an index */
    uint64_t truth_term[LOG_MAX];
    bool broken;             /* two nodes applied different entries at one index */
    uint64_t cut;            /* nodes that hear nobody, as bits */
};

static uint64_t draw(struct world *w, uint64_t below)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return (w->seed >> 11) % below;
}

static void tell(struct world *w, int node, struct raft_fact *fact)
{
    struct peer *p = &w->node[node];
    fact->process = p->process;
    fact->sequence = ++p->sequence;
    fact->time = w->time;
    fact->protocol = "test";
    raft_model_step(w->model, fact);
}

static void tell_message(struct world *w, int node, enum raft_fact_kind kind, const struct raft_message *m)
{
    if (w->sight != MARKS)
        tell(w, node, &(struct raft_fact){.kind = kind, .message = m});
}

static void tell_term(struct world *w, int node)
{
    struct peer *p = &w->node[node];
    if (w->sight != MESSAGES)
        tell(w, node, &(struct raft_fact){.kind = RAFT_FACT_TERM, .term = p->term, .durable = w->sight == MESSAGES_AND_DISK});
}

static void tell_vote(struct world *w, int node)
{
    struct peer *p = &w->node[node];
    struct raft_fact fact = {.kind = RAFT_FACT_VOTE, .term = p->term, .durable = w->sight == MESSAGES_AND_DISK};
    snprintf(fact.peer, sizeof fact.peer, "id%d", p->vote);
    if (w->sight != MESSAGES)
        tell(w, node, &fact);
}

static void tell_role(struct world *w, int node)
{
    if (w->sight == MARKS)
        tell(w, node, &(struct raft_fact){.kind = RAFT_FACT_ROLE, .term = w->node[node].term, .role = w->node[node].role});
}

/* ---- The rules for servers, Figure 2 ---- */

static void send(struct world *w, int from, int to, const struct raft_message *message, const struct raft_entry *entry)
{
    if (w->flying == FLIGHT_MAX)
        return;
    struct packet *k = &w->flight[w->flying++];
    *k = (struct packet){.from = from, .to = to, .message = *message};
    snprintf(k->message.from, sizeof k->message.from, "id%d", from);
    snprintf(k->message.to, sizeof k->message.to, "id%d", to);
    for (size_t i = 0; i < message->entries; i++)
        k->entry[i] = entry[i];
    k->message.entry = k->entry;
    tell_message(w, from, RAFT_FACT_SENT, &k->message);
    k->message.entry = NULL; /* the packet may move */
}

static void adopt(struct world *w, int i, uint64_t term)
{
    struct peer *p = &w->node[i];
    if (term <= p->term)
        return;
    p->term = term;
    p->vote = -1;
    p->role = 0;
    tell_term(w, i);
    tell_role(w, i);
}

static void apply(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    while (p->applied < p->commit) {
        const struct raft_entry *e = &p->log[++p->applied];
        if (!w->truth_term[e->index]) {
            w->truth[e->index] = e->digest;
            w->truth_term[e->index] = e->term;
        }
        w->broken |= w->truth[e->index] != e->digest || w->truth_term[e->index] != e->term;
        if (w->sight == MARKS)
            tell(w, i, &(struct raft_fact){.kind = RAFT_FACT_APPLY, .index = e->index, .term = e->term,
                                           .entry = {.index = e->index, .term = e->term}});
    }
}

static void put(struct world *w, int i, const struct raft_entry *e)
{
    w->node[i].log[e->index] = *e;
    w->node[i].last = e->index;
    if (w->sight != MESSAGES)
        tell(w, i, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .entry = *e, .durable = w->sight == MESSAGES_AND_DISK});
}

static void replicate(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    for (int to = 0; to < NODES; to++) {
        if (to == i)
            continue;
        uint64_t previous = p->next[to] - 1;
        struct raft_message m = {.type = RAFT_APPEND_ENTRIES, .term = p->term, .prev_index = previous,
                                 .prev_term = p->log[previous].term, .commit = p->commit};
        m.entries = p->last - previous < BATCH ? p->last - previous : BATCH;
        if (draw(w, 3) == 0)
            m.entries = 0;
        send(w, i, to, &m, &p->log[previous + 1]);
    }
}

static void stand(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    adopt(w, i, p->term + 1);
    p->role = 1;
    p->vote = i;
    p->votes = 1u << i;
    tell_vote(w, i);
    struct raft_message m = {.type = RAFT_REQUEST_VOTE, .term = p->term, .prev_index = p->last, .prev_term = p->log[p->last].term};
    for (int to = 0; to < NODES; to++) {
        if (to != i)
            send(w, i, to, &m, NULL);
    }
}

static bool majority(unsigned bits)
{
    return __builtin_popcount(bits) > NODES / 2;
}

static void on_request_vote(struct world *w, const struct packet *k)
{
    struct peer *p = &w->node[k->to];
    const struct raft_message *m = &k->message;
    uint64_t last_term = p->log[p->last].term;
    bool current = m->prev_term > last_term || (m->prev_term == last_term && m->prev_index >= p->last);
    bool free_vote = p->vote < 0 || p->vote == k->from || w->mistake == DOUBLE_VOTE;
    bool granted = m->term == p->term && free_vote && current && p->role == 0;
    if (granted) {
        p->vote = k->from;
        tell_vote(w, k->to);
    }
    send(w, k->to, k->from, &(struct raft_message){.type = RAFT_REQUEST_VOTE_RESULT, .term = p->term, .success = granted}, NULL);
}

static void on_vote(struct world *w, const struct packet *k)
{
    struct peer *p = &w->node[k->to];
    if (p->role != 1 || k->message.term != p->term || !k->message.success)
        return;
    p->votes |= 1u << k->from;
    if (!majority(p->votes))
        return;
    p->role = 2;
    tell_role(w, k->to);
    for (int i = 0; i < NODES; i++) {
        p->next[i] = p->last + 1;
        p->match[i] = 0;
    }
    replicate(w, k->to);
}

static void on_append(struct world *w, const struct packet *k)
{
    struct peer *p = &w->node[k->to];
    const struct raft_message *m = &k->message;
    struct raft_message result = {.type = RAFT_APPEND_ENTRIES_RESULT, .term = p->term, .match = m->prev_index};
    if (m->term == p->term) {
        p->role = p->role == 1 ? 0 : p->role;
        result.success = m->prev_index <= p->last && p->log[m->prev_index].term == m->prev_term;
    }
    for (size_t i = 0; result.success && i < m->entries; i++) {
        const struct raft_entry *e = &k->entry[i];
        if (e->index > p->last || p->log[e->index].term != e->term)
            put(w, k->to, e);
        result.match = e->index;
    }
    if (result.success) {
        uint64_t commit = m->commit < result.match ? m->commit : result.match;
        p->commit = commit > p->commit ? commit : p->commit;
        apply(w, k->to);
    }
    send(w, k->to, k->from, &result, NULL);
}

static void advance(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    for (uint64_t n = p->last; n > p->commit; n--) {
        unsigned holders = 1u << i;
        for (int f = 0; f < NODES; f++)
            holders |= p->match[f] >= n ? 1u << f : 0;
        if (majority(holders) && (p->log[n].term == p->term || w->mistake == COUNT_OLD_TERM)) {
            p->commit = n;
            apply(w, i);
            return;
        }
    }
}

static void on_result(struct world *w, const struct packet *k)
{
    struct peer *p = &w->node[k->to];
    const struct raft_message *m = &k->message;
    if (p->role != 2 || m->term != p->term)
        return;
    if (!m->success) {
        if (p->next[k->from] > p->match[k->from] + 1)
            p->next[k->from]--;
        return;
    }
    if (m->match > p->match[k->from])
        p->match[k->from] = m->match;
    p->next[k->from] = p->match[k->from] + 1;
    advance(w, k->to);
}

static void deliver(struct world *w, size_t place, bool keep)
{
    static void (*const handlers[])(struct world *, const struct packet *) = {
        [RAFT_REQUEST_VOTE] = on_request_vote, [RAFT_REQUEST_VOTE_RESULT] = on_vote,
        [RAFT_APPEND_ENTRIES] = on_append, [RAFT_APPEND_ENTRIES_RESULT] = on_result,
    };
    struct packet k = w->flight[place];
    if (!keep)
        w->flight[place] = w->flight[--w->flying];
    if (w->cut >> k.from & 1 || w->cut >> k.to & 1)
        return;
    k.message.entry = k.entry;
    tell_message(w, k.to, RAFT_FACT_RECEIVED, &k.message);
    adopt(w, k.to, k.message.term);
    handlers[k.message.type](w, &k);
}

/* ---- The world ---- */

static void start(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    char name[8];
    snprintf(name, sizeof name, "s%d", i);
    p->process = ++w->processes;
    p->sequence = 0;
    p->role = 0;
    p->commit = p->applied = 0;
    raft_model_process(w->model, p->process, name, ++p->incarnation, w->time, 0, true);
    if (w->sight == MARKS) { /* it states what it has read from disk */
        tell_term(w, i);
        for (uint64_t n = 1; n <= p->last; n++)
            tell(w, i, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .entry = p->log[n]});
    }
}

static void restart(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    uint64_t lost = draw(w, 6);
    if (w->mistake == LOSE_ACKNOWLEDGED)
        p->last -= p->last < lost ? p->last : lost;
    start(w, i);
}

static void command(struct world *w, int i)
{
    struct peer *p = &w->node[i];
    if (p->role != 2 || p->last + BATCH + 1 >= LOG_MAX)
        return;
    struct raft_entry e = {.index = p->last + 1, .term = p->term, .digest = ++w->value, .type = 'c'};
    snprintf(e.text, sizeof e.text, "v%lu", (unsigned long)w->value);
    put(w, i, &e);
    replicate(w, i);
}

static void step(struct world *w)
{
    uint64_t what = draw(w, 1000);
    int i = (int)draw(w, NODES);
    w->time++;
    if (what < 700 && w->flying)
        deliver(w, draw(w, w->flying), draw(w, 10) == 0);
    else if (what < 730 && w->flying)
        w->flight[draw(w, w->flying)] = w->flight[w->flying - 1], w->flying--;
    else if (what < 740 && w->node[i].role != 2)
        stand(w, i);
    else if (what < 750)
        w->cut = draw(w, 4) == 0 ? draw(w, 1u << NODES) : 0;
    else if (what < 752)
        restart(w, i);
    else if (what < 800)
        command(w, i);
    else if (w->node[i].role == 2)
        replicate(w, i);
}

static struct world *run(enum mistake mistake, enum sight sight, uint64_t seed, int steps)
{
    struct world *w = calloc(1, sizeof *w);
    w->model = raft_model_create();
    if (seed % 2) /* of every other run the model soon forgets what is old */
        w->model->tail = TAIL;
    w->mistake = mistake;
    w->sight = sight;
    w->seed = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < NODES; i++) {
        w->node[i].vote = -1;
        start(w, i);
    }
    for (int i = 0; i < steps; i++)
        step(w);
    raft_model_finish(w->model);
    return w;
}

static void world_free(struct world *w)
{
    raft_model_destroy(w->model);
    free(w);
}

static const struct raft_finding *finding(const struct world *w, enum raft_property property)
{
    for (size_t i = 0; i < w->model->findings; i++) {
        if (w->model->finding[i].property == property)
            return &w->model->finding[i];
    }
    return NULL;
}

/* A break of the rules of votes, elections and terms. */
static const struct raft_break *broken_vote(const struct world *w)
{
    static const enum raft_class classes[] = {RAFT_T01, RAFT_T02, RAFT_T04, RAFT_T06, RAFT_T18, RAFT_T22};
    for (size_t i = 0; i < w->model->breaks; i++) {
        for (size_t k = 0; k < sizeof classes / sizeof *classes; k++) {
            if (w->model->rule_break[i].class == classes[k])
                return &w->model->rule_break[i];
        }
    }
    return NULL;
}

static void correct_raft_breaks_nothing(void **state)
{
    (void)state;
    uint64_t compared = 0;
    for (int sight = MESSAGES; sight <= MARKS; sight++) {
        for (uint64_t seed = 1; seed <= 30; seed++) {
            struct world *w = run(NONE, sight, seed, 10000);
            const struct raft_finding *f = raft_finding_first(w->model);
            assert_false(w->broken);
            if (f)
                fail_msg("seed %lu sight %d: %s at index %lu term %lu", (unsigned long)seed, sight,
                         raft_property_names[f->property].name, (unsigned long)f->index, (unsigned long)f->term);
            if (broken_vote(w))
                fail_msg("seed %lu sight %d: %s", (unsigned long)seed, sight, broken_vote(w)->text);
            compared += w->model->compared;
            world_free(w);
        }
    }
    assert_true(compared > 10000);
}

/* Where the simulation is broken, something must be found; what is said to be seen as State Machine Safety must be broken in
 * truth; and what is only inferred must not be the first thing told of a run in which more is known. */
static void judge_run(const struct world *w, enum sight sight, uint64_t seed)
{
    const struct raft_finding *first = raft_finding_first(w->model);
    const struct raft_finding *safety = finding(w, RAFT_STATE_MACHINE_SAFETY);
    if (safety && safety->seen && !w->broken)
        fail_msg("seed %lu sight %d: false alarm at index %lu", (unsigned long)seed, sight, (unsigned long)safety->index);
    if (first && !first->seen && !w->broken)
        fail_msg("seed %lu sight %d: an inference is told first", (unsigned long)seed, sight);
    if (w->broken && sight == MARKS && !safety)
        fail_msg("seed %lu: State Machine Safety is broken at an index the model does not see", (unsigned long)seed);
}

static void judge(enum mistake mistake, enum raft_property expected)
{
    for (int sight = MESSAGES; sight <= MARKS; sight++) {
        int broken = 0, found = 0, named = 0;
        for (uint64_t seed = 1; seed <= 60; seed++) {
            struct world *w = run(mistake, sight, seed, 10000);
            judge_run(w, sight, seed);
            broken += w->broken;
            found += w->broken && w->model->findings;
            named += finding(w, expected) != NULL;
            world_free(w);
        }
        print_message("sight %d: %d runs broken, %d of them found, %d times %s\n", sight, broken, found, named,
                      raft_property_names[expected].name);
        assert_true(broken > 0);
        assert_true(named > 0);
        /* without marks, what a leader commits and never tells is not to be seen */
        assert_true(found * 10 >= broken * (sight == MARKS ? 10 : 9));
    }
}

static void double_vote(void **state)
{
    (void)state;
    judge(DOUBLE_VOTE, RAFT_ELECTION_SAFETY);
}

/* Where two led a term, somebody voted for both of them in it: by the messages that is seen. */
static void double_vote_is_the_cause(void **state)
{
    (void)state;
    int led = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world *w = run(DOUBLE_VOTE, seed % 2 ? MESSAGES : MESSAGES_AND_DISK, seed, 10000);
        const struct raft_finding *f = finding(w, RAFT_ELECTION_SAFETY);
        bool named = false;
        for (size_t i = 0; f && i < w->model->breaks; i++) {
            const struct raft_break *b = &w->model->rule_break[i];
            named |= b->class == RAFT_T01 && b->term == f->term && !b->likely && b->at.order < f->order;
        }
        led += f != NULL;
        if (f && !named)
            fail_msg("seed %lu: two leaders of term %lu, and no vote for both", (unsigned long)seed, (unsigned long)f->term);
        world_free(w);
    }
    assert_true(led > 10);
}

static void prior_term_committed_by_counting(void **state)
{
    (void)state;
    judge(COUNT_OLD_TERM, RAFT_LEADER_COMPLETENESS);
}

static void acknowledged_entries_lost(void **state)
{
    (void)state;
    judge(LOSE_ACKNOWLEDGED, RAFT_LEADER_COMPLETENESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correct_raft_breaks_nothing),
        cmocka_unit_test(double_vote),
        cmocka_unit_test(double_vote_is_the_cause),
        cmocka_unit_test(prior_term_committed_by_counting),
        cmocka_unit_test(acknowledged_entries_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
