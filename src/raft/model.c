#include "raft/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* Cuts, starts and failed writes that are kept: beyond that, a test that does nothing else. */
#define INCIDENTS_KEPT 4096
/* Committed entries of a node that stay in its log. */
#define LOG_TAIL 4096

struct raft_model *raft_model_create(void)
{
    struct raft_model *m = calloc(1, sizeof *m);
    if (m && rules_init(m)) {
        m->tail = LOG_TAIL;
        return m;
    }
    raft_model_destroy(m);
    return NULL;
}

static void cell_free(void *context, uint64_t index, void *cell)
{
    (void)context, (void)index;
    entries_free(*(struct raft_variant **)cell);
}

static void cluster_fini(struct raft_cluster *c)
{
    pages_each(&c->entries, cell_free, NULL);
    pages_fini(&c->entries);
    settled_fini(&c->settled);
    for (size_t i = 0; i < c->terms; i++) {
        free(c->term[i].leader);
        free(c->term[i].vote);
    }
    free(c->term);
    free(c->peer);
}

void raft_model_destroy(struct raft_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->nodes; i++) {
        pending_drop(&m->node[i]);
        pages_fini(&m->node[i].log);
        book_fini(&m->node[i].book);
    }
    for (size_t i = 0; i < m->clusters; i++)
        cluster_fini(&m->cluster[i]);
    raft_findings_fini(m);
    rules_fini(m);
    free(m->incident);
    free(m->process);
    free(m->node);
    free(m->cluster);
    free(m);
}

void step_out_of_memory(struct step *s)
{
    s->model->out_of_memory = true;
}

struct raft_witness step_witness(const struct step *s, enum raft_how how, bool exact)
{
    return (struct raft_witness){.sequence = s->fact->sequence, .order = s->model->facts, .process = s->fact->process,
                                 .node = (uint16_t)(s->node - s->model->node), .how = (uint8_t)how, .exact = exact};
}

/* One more element at the end of an array, zeroed; NULL: out of memory. */
static void *array_grow(struct raft_model *m, void **array, size_t *count, size_t size)
{
    char *grown = *count < UINT16_MAX ? realloc(*array, (*count + 1) * size) : NULL;
    if (!grown) {
        m->out_of_memory = true;
        return NULL;
    }
    *array = grown;
    return memset(grown + (*count)++ * size, 0, size);
}

static struct raft_process *process_find(struct raft_model *m, uint32_t number)
{
    for (size_t i = m->processes; i-- > 0;) {
        if (m->process[i].number == number)
            return &m->process[i];
    }
    return NULL;
}

void raft_model_process(struct raft_model *m, uint32_t number, const char *node, uint32_t incarnation, uint64_t start,
                        uint64_t end, bool complete)
{
    struct raft_process *p = process_find(m, number);
    if (!p)
        p = array_grow(m, (void **)&m->process, &m->processes, sizeof *p);
    if (!p)
        return;
    *p = (struct raft_process){.number = number, .incarnation = incarnation, .start = start, .end = end,
                               .complete = complete, .status = -1, .node = -1};
    if (end && end < start)
        p->end = 0; /* not a time that can be compared */
    snprintf(p->name, sizeof p->name, "%s", node);
}

void raft_model_status(struct raft_model *m, uint32_t number, int status)
{
    struct raft_process *p = process_find(m, number);
    if (p)
        p->status = status;
}

/* The process of the fact; one that was not told of gets a name of its own. */
static struct raft_process *process_of(struct raft_model *m, const struct raft_fact *fact)
{
    struct raft_process *p = process_find(m, fact->process);
    if (p)
        return p;
    char name[32];
    snprintf(name, sizeof name, "process %u", fact->process);
    raft_model_process(m, fact->process, name, 1, 0, 0, true);
    return process_find(m, fact->process);
}

/* Whether all nodes of a cluster had ended when the process began: then a node with a new name belongs to another one,
 * as in a script that tests one cluster after the other. */
static bool cluster_ended(struct raft_model *m, size_t cluster, const struct raft_process *p)
{
    for (size_t i = 0; i < m->processes; i++) {
        const struct raft_process *other = &m->process[i];
        if (other->node < 0 || m->node[other->node].cluster != cluster)
            continue;
        if (!other->end || other->end > p->start)
            return false;
    }
    return true;
}

static bool node_init(struct raft_model *m, struct raft_node *n, const struct raft_process *p)
{
    if (!m->clusters || cluster_ended(m, m->clusters - 1, p)) {
        struct raft_cluster *c = array_grow(m, (void **)&m->cluster, &m->clusters, sizeof *c);
        if (!c)
            return false;
        pages_init(&c->entries, sizeof(struct raft_variant *));
        settled_init(&c->settled);
    }
    n->cluster = m->clusters - 1;
    n->complete = true;
    memcpy(n->name, p->name, sizeof n->name);
    pages_init(&n->log, sizeof(struct raft_slot));
    return true;
}

static void slot_restart(void *context, uint64_t index, void *cell)
{
    struct raft_slot *slot = cell;
    uint64_t *last = context;
    if (!slot->variant || !slot->durable) {
        memset(slot, 0, sizeof *slot);
        return;
    }
    slot->committed.how = RAFT_HOW_NONE;
    slot->earlier = true;
    if (index > *last)
        *last = index;
}

/* A new incarnation: what is volatile is gone (Figure 2, State), what was seen on disk should be there, and what was only
 * inferred may be or not. */
static void node_restart(struct raft_node *n)
{
    uint64_t last = n->base;
    pages_each(&n->log, slot_restart, &last);
    n->last = last;
    n->commit = n->applied = n->commit_term = 0;
    n->role = 0;
    n->role_term = 0;
    n->leading = n->leading_since = 0;
    n->term = n->heard = n->bound = 0; /* what it still knows of them, it reads back or says */
    n->role_term = 0;
    n->term_known = false;
    memset(n->stated_commit, 0, sizeof n->stated_commit);
    memset(n->stated_term, 0, sizeof n->stated_term);
    pending_drop(n);
    book_restart(&n->book);
}

static int node_named(const struct raft_model *m, const char *name)
{
    for (size_t i = m->nodes; i-- > 0;) {
        if (strcmp(m->node[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

static int node_find(struct raft_model *m, const struct raft_process *p)
{
    int node = node_named(m, p->name);
    if (node >= 0)
        return node;
    struct raft_node *n = array_grow(m, (void **)&m->node, &m->nodes, sizeof *n);
    if (!n)
        return -1;
    if (node_init(m, n, p))
        return (int)m->nodes - 1;
    m->nodes--;
    return -1;
}

/* Shown by a file of the node, not stated or sent. */
static bool on_disk(const struct raft_fact *fact)
{
    return fact->written || fact->durable || fact->loaded;
}

static enum raft_how how_shown(const struct raft_fact *fact)
{
    return fact->loaded ? RAFT_HOW_LOADED : on_disk(fact) ? RAFT_HOW_WRITTEN : RAFT_HOW_STATED;
}

static bool is_incident(const struct raft_fact *fact)
{
    return fact->kind == RAFT_FACT_START || fact->kind == RAFT_FACT_FAULT || fact->kind == RAFT_FACT_WRITE_FAILED;
}

/* Shown by the client itself, which is no node: it asks, and it is told. */
static bool is_clients(const struct raft_fact *fact)
{
    return fact->message && ((fact->kind == RAFT_FACT_SENT && fact->message->type == RAFT_CLIENT_REQUEST) ||
                             (fact->kind == RAFT_FACT_RECEIVED && fact->message->type == RAFT_CLIENT_RESULT));
}

/* The node a fact speaks of, brought to the incarnation it speaks of. NULL: no memory, or the fact is of an incarnation
 * that has ended (a write that completed late), or says only that some program was started. */
static struct raft_node *node_of(struct raft_model *m, const struct raft_fact *fact)
{
    struct raft_process *p = process_of(m, fact);
    if (!p)
        return NULL;
    bool first = p->node < 0;
    if (first)
        p->node = is_incident(fact) || is_clients(fact) ? node_named(m, p->name) : node_find(m, p);
    if (p->node < 0)
        return NULL;
    struct raft_node *n = &m->node[p->node];
    if (p->incarnation < n->incarnation) {
        m->late++;
        return NULL;
    }
    if (n->incarnation && p->incarnation > n->incarnation) {
        rules_restart(&(struct step){m, n, &m->cluster[n->cluster], fact});
        node_restart(n);
    }
    if (first && !p->complete)
        n->complete = false;
    n->incarnation = p->incarnation;
    n->process = p->number;
    n->speaks |=
        !on_disk(fact) && !is_incident(fact) && fact->kind != RAFT_FACT_TRUNCATE && fact->kind != RAFT_FACT_SNAPSHOT;
    return n;
}

static uint64_t node_commit_term(const struct raft_node *n)
{
    return n->term_known ? n->heard : UINT64_MAX;
}

static void node_term(struct step *s, uint64_t term)
{
    if (term > s->node->term)
        s->node->term = term;
    node_bound(s->node, term);
}

static void fact_term(struct step *s)
{
    uint64_t *stated = &s->node->stated_term[on_disk(s->fact)], before = *stated;
    s->node->term_known = true;
    *stated = s->fact->term;
    if (s->fact->term < before)
        raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_TERM, .cluster = s->node->cluster,
                                                              .witness = step_witness(s, RAFT_HOW_STATED, true),
                                                              .before = before, .now = s->fact->term});
    node_term(s, s->fact->term);
}

static void fact_vote(struct step *s)
{
    node_term(s, s->fact->term);
    if (s->fact->peer[0])
        term_vote(s, s->fact->term, s->fact->peer);
}

struct holder {
    struct step *step;
    uint64_t term;
};

static void slot_led(void *context, uint64_t index, void *cell)
{
    struct holder *h = context;
    struct raft_slot *slot = cell;
    (void)index;
    if (slot->variant && !slot->earlier && slot->witness.how == RAFT_HOW_STATED)
        entry_led(h->step, slot->variant, h->term, slot->witness.exact);
}

/* A node that states its role states its log too: what is in it when it begins to lead is a leader's log. */
static void fact_role(struct step *s)
{
    node_term(s, s->fact->term);
    if (s->fact->term >= s->node->role_term) {
        s->node->role = s->fact->role;
        s->node->role_term = s->fact->term;
    }
    if (s->fact->role != 2)
        return;
    term_led(s, s->fact->term, RAFT_HOW_STATED);
    if (!on_disk(s->fact))
        pages_each(&s->node->log, slot_led, &(struct holder){s, s->fact->term});
}

static void fact_append(struct step *s)
{
    struct raft_node *n = s->node;
    const struct raft_entry *e = &s->fact->entry;
    struct raft_variant *v = entry_find(s, e->index, e);
    if (!v)
        return;
    n->own_log |= !s->fact->loaded; /* what it read back, it may change where no call shows it: a mapped file */
    n->disk |= s->fact->written || s->fact->durable;
    if (e->index < n->base) /* it begins its log anew */
        log_restart(n, e->index - 1);
    log_put(s, v, how_shown(s->fact), e->digest != 0);
}

static void fact_truncate(struct step *s)
{
    struct raft_node *n = s->node;
    const struct raft_slot *slot = raft_node_slot(n, s->fact->index + 1);
    n->own_log = true;
    if (slot && s->fact->index < n->last && !s->fact->loaded) {
        struct raft_slot old = *slot;
        raft_properties_check(s->model, &(struct raft_change){
                                            .kind = RAFT_CHANGE_REPLACED, .cluster = n->cluster, .old = &old,
                                            .witness = step_witness(s, how_shown(s->fact), true)});
        old.variant->replaced = step_witness(s, how_shown(s->fact), true);
        old.variant->replaced_by = NULL;
    }
    log_cut(n, s->fact->index);
}

/* What the new file lacks is on stable storage no more. What the node has in memory is another matter. */
static void fact_rewritten(struct step *s)
{
    struct raft_node *n = s->node;
    for (uint64_t i = n->last; i > s->fact->entry.index && i > n->base; i--) {
        struct raft_slot *slot = raft_node_slot(n, i);
        if (slot)
            slot->durable = false;
    }
}

static void fact_commit(struct step *s)
{
    uint64_t *stated = &s->node->stated_commit[on_disk(s->fact)], before = *stated;
    *stated = s->fact->index;
    if (s->fact->index < before)
        raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_COMMIT, .cluster = s->node->cluster,
                                                              .witness = step_witness(s, RAFT_HOW_COMMITTED, true),
                                                              .before = before, .now = s->fact->index});
    log_commit(s, s->fact->index, RAFT_HOW_COMMITTED, node_commit_term(s->node));
}

static void entry_applied(struct step *s, struct raft_slot *slot)
{
    struct raft_variant *v = slot->variant;
    uint64_t state = s->fact->entry.digest;
    log_commit_slot(s, slot, RAFT_HOW_APPLIED, node_commit_term(s->node));
    if (!state)
        return;
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_STATE, .cluster = s->node->cluster,
                                                          .witness = step_witness(s, RAFT_HOW_APPLIED, true),
                                                          .variant = v, .now = state});
    if (v->applied.how == RAFT_HOW_NONE) {
        v->applied = step_witness(s, RAFT_HOW_APPLIED, true);
        v->state = state;
    }
}

static void fact_apply(struct step *s)
{
    struct raft_node *n = s->node;
    uint64_t index = s->fact->entry.index, term = s->fact->entry.term;
    if (!index)
        return;
    log_commit(s, index - 1, RAFT_HOW_COMMITTED, node_commit_term(n));
    if (term)
        log_put(s, entry_find_term(s, index, term), RAFT_HOW_STATED, false);
    log_commit(s, index, RAFT_HOW_APPLIED, node_commit_term(n));
    struct raft_slot *slot = raft_node_slot(n, index);
    if (slot)
        entry_applied(s, slot);
    if (index > n->applied)
        n->applied = index;
}

static void fact_snapshot(struct step *s)
{
    log_snapshot(s, s->fact->index, s->fact->term, RAFT_HOW_SNAPSHOT);
}

static void fact_node(struct step *s)
{
    peer_self(s, s->fact->peer);
}

static void incident_add(struct raft_model *m, const struct raft_fact *fact, const struct raft_witness *at)
{
    if (m->incidents == INCIDENTS_KEPT)
        return;
    struct raft_incident *i = array_grow(m, (void **)&m->incident, &m->incidents, sizeof *i);
    if (!i)
        return;
    i->at = *at;
    i->time = fact->time;
    i->kind = fact->kind;
    snprintf(i->text, sizeof i->text, "%s", fact->text ? fact->text : "");
    memcpy(i->peer, fact->peer, sizeof i->peer);
}

static void fact_incident(struct step *s)
{
    struct raft_witness at = step_witness(s, RAFT_HOW_STATED, true);
    incident_add(s->model, s->fact, &at);
}

static void (*const fact_handlers[])(struct step *s) = {
    [RAFT_FACT_SENT] = message_sent,
    [RAFT_FACT_RECEIVED] = message_received,
    [RAFT_FACT_TERM] = fact_term,
    [RAFT_FACT_VOTE] = fact_vote,
    [RAFT_FACT_ROLE] = fact_role,
    [RAFT_FACT_APPEND] = fact_append,
    [RAFT_FACT_TRUNCATE] = fact_truncate,
    [RAFT_FACT_REWRITTEN] = fact_rewritten,
    [RAFT_FACT_COMMIT] = fact_commit,
    [RAFT_FACT_APPLY] = fact_apply,
    [RAFT_FACT_SNAPSHOT] = fact_snapshot,
    [RAFT_FACT_CONFIGURATION] = NULL, /* the properties do not depend on who is a member */
    [RAFT_FACT_NODE] = fact_node,
    [RAFT_FACT_START] = fact_incident,
    [RAFT_FACT_FAULT] = fact_incident,
    [RAFT_FACT_WRITE_FAILED] = fact_incident,
    [RAFT_FACT_TEXT] = NULL,
};

/* What was told when it was written is on stable storage now. An entry that was replaced meanwhile is of no interest. */
static void step_again(struct step *s)
{
    const struct raft_entry *e = &s->fact->entry;
    struct raft_slot *slot = s->fact->kind == RAFT_FACT_APPEND ? raft_node_slot(s->node, e->index) : NULL;
    if (slot && slot->variant->term == e->term)
        slot_synced(s, slot);
}

void raft_model_step(struct raft_model *m, const struct raft_fact *fact)
{
    bool message = fact->kind == RAFT_FACT_SENT || fact->kind == RAFT_FACT_RECEIVED;
    if (m->out_of_memory || (size_t)fact->kind >= sizeof fact_handlers / sizeof *fact_handlers ||
        (message && !fact->message))
        return;
    m->facts++;
    m->messages += message;
    struct raft_node *n = node_of(m, fact);
    if (!n && fact->kind == RAFT_FACT_FAULT) /* what `drd fault` was asked to do; the recorder is no node */
        incident_add(m, fact, &(struct raft_witness){.process = fact->process, .sequence = fact->sequence, .order = m->facts,
                                                     .node = UINT16_MAX, .how = RAFT_HOW_STATED, .exact = true});
    if (!n)
        return;
    struct step s = {.model = m, .node = n, .cluster = &m->cluster[n->cluster], .fact = fact};
    rules_before(&s);
    if (fact->again)
        step_again(&s);
    else if (fact_handlers[fact->kind])
        fact_handlers[fact->kind](&s);
    if (!fact->again)
        book_step(&s);
    rules_after(&s);
    entries_settle(m, n->cluster);
}

/* A leader that others heard is the recorded node with that id, if there is one. */
static void heard_resolve(struct raft_cluster *c, struct raft_leader *leader)
{
    for (size_t i = 0; leader->id[0] && i < c->peers; i++) {
        if (c->peer[i].node < 0 || strcmp(c->peer[i].id, leader->id) != 0)
            continue;
        leader->witness.node = (uint16_t)c->peer[i].node;
        leader->id[0] = 0;
    }
}

/* Whether all the nodes have told their ids, so that an id that is nobody's is somebody else. */
static bool ids_known(const struct raft_model *m, size_t cluster)
{
    for (size_t i = 0; i < m->nodes; i++) {
        if (m->node[i].cluster == cluster && !m->node[i].id[0])
            return false;
    }
    return true;
}

static void term_finish(struct raft_model *m, size_t cluster, struct raft_term *t)
{
    struct raft_leader *latest = NULL;
    bool heard = false;
    for (size_t i = 0; i < t->leaders; i++) {
        heard_resolve(&m->cluster[cluster], &t->leader[i]);
        heard |= t->leader[i].id[0] != 0;
        if (!latest || t->leader[i].witness.order > latest->witness.order)
            latest = &t->leader[i];
    }
    if (heard && t->leaders > 1 && ids_known(m, cluster))
        raft_properties_check(m, &(struct raft_change){.kind = RAFT_CHANGE_LEADERS, .cluster = cluster,
                                                       .witness = latest->witness, .term = t, .now = t->term});
}

void raft_model_finish(struct raft_model *m)
{
    for (size_t i = 0; i < m->clusters; i++) {
        for (size_t t = 0; t < m->cluster[i].terms; t++)
            term_finish(m, i, &m->cluster[i].term[t]);
    }
    rules_finish(m);
}
