#include "raft/blame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"

/* Beyond that, a run that does nothing but fight for one index. */
#define EVENTS_MAX 4096

/* What a node's log holds at the index, remembered over restarts and compaction, where the model does not know it. */
struct blame_seat {
    const struct raft_variant *held;
    uint32_t incarnation;
    bool unsure; /* it was started again: what is not seen yet may be there */
    bool committed, applied;
};

bool blame_init(struct blame *b, uint64_t index)
{
    *b = (struct blame){.model = raft_model_create(), .index = index};
    if (b->model)
        b->model->keep[b->model->keeps++] = (struct raft_keep){index, index};
    return b->model != NULL;
}

void blame_fini(struct blame *b)
{
    raft_model_destroy(b->model);
    free(b->event);
    free(b->request);
    free(b->seat);
    memset(b, 0, sizeof *b);
}

static bool seats_make(struct blame *b)
{
    size_t count = b->model->nodes;
    if (count <= b->seats)
        return true;
    struct blame_seat *more = realloc(b->seat, count * sizeof *more);
    if (!more) {
        b->model->out_of_memory = true;
        return false;
    }
    memset(more + b->seats, 0, (count - b->seats) * sizeof *more);
    b->seat = more;
    b->seats = count;
    return true;
}

static struct blame_event *event_add(struct blame *b, struct step *s, enum blame_kind kind, const struct raft_variant *v,
                                     const struct raft_witness *how)
{
    if (b->events == EVENTS_MAX) {
        b->cut = true;
        return NULL;
    }
    if (b->events == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 64;
        struct blame_event *more = realloc(b->event, capacity * sizeof *more);
        if (!more) {
            b->model->out_of_memory = true;
            return NULL;
        }
        b->event = more;
        b->capacity = capacity;
    }
    struct blame_event *e = &b->event[b->events++];
    *e = (struct blame_event){.kind = kind, .variant = v, .at = step_witness(s, how ? how->how : RAFT_HOW_STATED, true),
                              .time = s->fact->time};
    e->at.order = b->order;
    e->at.inferred = how && how->inferred;
    return e;
}

/* --- who counted for a commit --- */

struct counting {
    struct step *step;
    struct blame *blame;
    struct blame_event *event;
};

static bool has_acknowledged(void *context, const char *id)
{
    const struct counting *c = context;
    const struct raft_node *n = c->step->node;
    const struct raft_exchange *x = book_find(&n->book, id);
    if (strcmp(id, n->id) == 0)
        return true;
    return x && x->acknowledged.at.how != RAFT_HOW_NONE && x->acknowledged.term == n->leading &&
           x->acknowledged.index >= c->blame->index;
}

static void counted_add(struct counting *c, const char *id)
{
    struct blame_event *e = c->event;
    size_t used = strlen(e->counted);
    if (!has_acknowledged(c, id))
        return;
    e->count++;
    snprintf(e->counted + used, sizeof e->counted - used, "%s%s", used ? ", " : "", step_peer(c->step, id));
}

/* As the rules count (rules_commit.c): by the configuration in force, else among all that were ever heard of. */
static void count_majority(struct counting *c)
{
    const struct raft_node *n = c->step->node;
    const struct raft_members *members = members_at(&n->book, n->last);
    struct blame_event *e = c->event;
    char id[RAFT_NODE_NAME];
    bool votes;
    if (members) {
        const char *at = members->text;
        while (members_next(&at, id, &votes)) {
            if (strcmp(id, "|") == 0) { /* told is the new side; both must agree */
                e->count = 0;
                e->counted[0] = 0;
            } else if (votes) {
                counted_add(c, id);
            }
        }
        e->voters = members_voters(members->text);
        e->majority = members_majority(members->text, has_acknowledged, c);
        return;
    }
    for (size_t i = 0; i < c->step->cluster->peers; i++)
        counted_add(c, c->step->cluster->peer[i].id);
    e->voters = (unsigned)c->step->cluster->peers;
    e->majority = 2 * e->count > e->voters;
}

/* --- what changed at a node's place --- */

static void seat_commit(struct blame *b, struct step *s, struct blame_seat *seat, const struct raft_slot *slot)
{
    struct blame_event *e;
    seat->committed = true;
    e = event_add(b, s, BLAME_COMMITTED, slot->variant, &slot->committed);
    if (!e || !node_leads(s->node))
        return;
    e->term = s->node->leading;
    e->alone = slot->variant->term < e->term && s->node->commit_term < e->term && !leader_committed_own(s);
    count_majority(&(struct counting){s, b, e});
}

static bool node_did(const struct blame *b, enum blame_kind kind, const struct raft_variant *v, uint16_t node)
{
    for (size_t i = 0; i < b->events; i++) {
        if (b->event[i].kind == kind && b->event[i].variant == v && b->event[i].at.node == node)
            return true;
    }
    return false;
}

/* The event that cut the log filled the place again: what was lost there, it replaced; or it lost nothing, where a mark had
 * told of it before the file did. True: the latter. */
static bool seat_refill(struct blame *b, const struct step *s, struct blame_seat *seat, const struct raft_slot *slot)
{
    struct blame_event *last = b->events ? &b->event[b->events - 1] : NULL;
    uint16_t node = (uint16_t)(s->node - b->model->node);
    if (!last || last->kind != BLAME_LOST || last->at.node != node || last->at.process != s->fact->process ||
        last->at.sequence != s->fact->sequence)
        return false;
    last->by = slot->variant;
    if (last->variant != slot->variant)
        return false;
    b->events--;
    seat->held = slot->variant;
    seat->committed = node_did(b, BLAME_COMMITTED, seat->held, node);
    seat->applied = node_did(b, BLAME_APPLIED, seat->held, node);
    return true;
}

static void seat_hold(struct blame *b, struct step *s, struct blame_seat *seat, const struct raft_slot *slot)
{
    if (slot->variant != seat->held && (seat->held || !seat_refill(b, s, seat, slot))) {
        if (seat->held) {
            struct blame_event *lost = event_add(b, s, BLAME_LOST, seat->held, &slot->witness);
            if (lost)
                lost->by = slot->variant;
        }
        event_add(b, s, BLAME_HELD, slot->variant, &slot->witness);
        *seat = (struct blame_seat){.held = slot->variant, .incarnation = seat->incarnation};
    }
    seat->unsure = false;
    if (!seat->committed && slot->committed.how != RAFT_HOW_NONE)
        seat_commit(b, s, seat, slot);
    if (!seat->applied && slot->committed.how == RAFT_HOW_APPLIED) {
        seat->applied = true;
        event_add(b, s, BLAME_APPLIED, slot->variant, &slot->committed);
    }
}

/* The place is empty: below the base the log was compacted, above its end it was cut. */
static void seat_empty(struct blame *b, struct step *s, struct blame_seat *seat)
{
    if (!seat->held || seat->unsure || b->index <= s->node->base || b->index <= s->node->last)
        return;
    event_add(b, s, BLAME_LOST, seat->held, NULL);
    *seat = (struct blame_seat){.incarnation = seat->incarnation};
}

static void look_seat(struct blame *b, struct step *s)
{
    struct blame_seat *seat = &b->seat[s->node - b->model->node];
    const struct raft_slot *slot = raft_node_slot(s->node, b->index);
    if (seat->incarnation != s->node->incarnation)
        seat->unsure = seat->incarnation != 0;
    seat->incarnation = s->node->incarnation;
    if (s->node->last > b->last)
        b->last = s->node->last;
    if (slot)
        seat_hold(b, s, seat, slot);
    else
        seat_empty(b, s, seat);
}

/* --- acknowledgements --- */

static bool is_acknowledgement(const struct blame *b, const struct raft_fact *f)
{
    const struct raft_message *m = f->message;
    return m && !f->again && (m->type == RAFT_APPEND_ENTRIES_RESULT || m->type == RAFT_INSTALL_SNAPSHOT_RESULT) &&
           m->success && m->match >= b->index;
}

/* The acknowledgement of an entry by a node in a term. */
static struct blame_event *find_acknowledged(struct blame *b, const struct raft_variant *v, uint16_t node, const char *peer,
                                             uint64_t term)
{
    for (size_t i = b->events; i-- > 0;) {
        struct blame_event *e = &b->event[i];
        if (e->kind == BLAME_ACKNOWLEDGED && e->variant == v && e->term == term && e->at.node == node &&
            (node != UINT16_MAX || strcmp(e->peer, peer) == 0))
            return e;
    }
    return NULL;
}

/* A node says so in every answer from then on: told are the first, and those of later terms while they can still make the
 * entry committed. */
static void look_sent(struct blame *b, struct step *s, const struct raft_variant *v)
{
    const struct raft_message *m = s->fact->message;
    uint16_t node = (uint16_t)(s->node - b->model->node);
    bool late = v->committed.how != RAFT_HOW_NONE && node_did(b, BLAME_ACKNOWLEDGED, v, node);
    if (late || find_acknowledged(b, v, node, "", m->term))
        return;
    struct blame_event *e = event_add(b, s, BLAME_ACKNOWLEDGED, v, NULL);
    if (!e)
        return;
    e->term = m->term;
    e->message = m->id;
    snprintf(e->peer, sizeof e->peer, "%s", step_peer(s, m->to));
}

static void look_received(struct blame *b, struct step *s, const struct raft_variant *v)
{
    const struct raft_message *m = s->fact->message;
    const struct raft_node *from = step_node(s, m->from);
    uint16_t node = from ? (uint16_t)(from - b->model->node) : UINT16_MAX;
    struct blame_event *e = find_acknowledged(b, v, node, m->from, m->term);
    bool told = from && node_did(b, BLAME_ACKNOWLEDGED, v, node);
    if (!e && m->from[0] && !told && (e = event_add(b, s, BLAME_ACKNOWLEDGED, v, NULL))) {
        e->term = m->term;
        e->at.node = node;
        e->at.how = RAFT_HOW_NONE;
        e->by = from ? b->seat[node].held : NULL;
        snprintf(e->peer, sizeof e->peer, "%s", from ? s->node->name : m->from);
    }
    if (!e || e->got.how != RAFT_HOW_NONE)
        return;
    e->got = step_witness(s, RAFT_HOW_STATED, true);
    e->got_time = s->fact->time;
}

static void look_message(struct blame *b, struct step *s)
{
    const struct blame_seat *seat = &b->seat[s->node - b->model->node];
    if (!seat->held || !is_acknowledgement(b, s->fact))
        return;
    if (s->fact->kind == RAFT_FACT_SENT)
        look_sent(b, s, seat->held);
    else if (s->node->leading == s->fact->message->term)
        look_received(b, s, seat->held);
}

static struct raft_node *node_of_fact(const struct raft_model *m, const struct raft_fact *fact)
{
    for (size_t i = m->processes; i-- > 0;) {
        const struct raft_process *p = &m->process[i];
        if (p->number != fact->process)
            continue;
        return p->node >= 0 && m->node[p->node].incarnation == p->incarnation ? &m->node[p->node] : NULL;
    }
    return NULL;
}

void blame_step(struct blame *b, const struct raft_fact *fact)
{
    b->order++;
    raft_model_step(b->model, fact);
    struct raft_node *n = b->model->out_of_memory || !seats_make(b) ? NULL : node_of_fact(b->model, fact);
    if (!n)
        return;
    struct step s = {.model = b->model, .node = n, .cluster = &b->model->cluster[n->cluster], .fact = fact};
    look_message(b, &s); /* what was held before the answer came is what it is about */
    look_seat(b, &s);
    look_message(b, &s); /* or it is known only by the answer */
}

void blame_finish(struct blame *b)
{
    raft_model_finish(b->model);
    b->order = 0;
}

/* --- clients: a second pass, when it is known what the entries are --- */

/* The first event by which a leader of its term shows the entry. */
struct blame_origin blame_origin(const struct blame *b, const struct raft_variant *v, size_t cluster)
{
    const struct raft_term *t = raft_cluster_term(&b->model->cluster[cluster], v->term);
    struct blame_origin o = {.leader = t && t->leaders ? &t->leader[0] : NULL};
    for (size_t i = 0; i < b->events; i++) {
        const struct blame_event *e = &b->event[i];
        if (e->kind != BLAME_HELD || e->variant != v)
            continue;
        for (size_t l = 0; t && l < t->leaders; l++) {
            if (!t->leader[l].id[0] && t->leader[l].witness.node == e->at.node)
                return (struct blame_origin){e, &t->leader[l]};
        }
    }
    return o;
}

static struct blame_request *request_find(struct blame *b, const struct raft_variant *v)
{
    for (size_t i = 0; i < b->requests; i++) {
        if (b->request[i].variant == v)
            return &b->request[i];
    }
    struct blame_request *more = realloc(b->request, (b->requests + 1) * sizeof *more);
    if (!more) {
        b->model->out_of_memory = true;
        return NULL;
    }
    b->request = more;
    b->request[b->requests] = (struct blame_request){.variant = v};
    return &b->request[b->requests++];
}

const struct blame_request *blame_request(const struct blame *b, const struct raft_variant *v)
{
    for (size_t i = 0; i < b->requests; i++) {
        if (b->request[i].variant == v && b->request[i].received.how != RAFT_HOW_NONE)
            return &b->request[i];
    }
    return NULL;
}

/* How well a request fits an entry: 2 it asks for that command, 1 its command is not told, 0 not at all. */
static int request_fits(const struct raft_variant *v, const struct raft_fact *f)
{
    const struct raft_message *m = f->message;
    if (m->read || (v->type && v->type != 'c' && v->type != '?'))
        return 0;
    if (!m->entries || !m->entry[0].digest)
        return 1;
    return raft_variant_shows(v, m->entry[0].digest, f->protocol) ? 2 : 0;
}

/* The last that came to the proposer before it had the entry. */
static void client_asked(struct blame *b, struct step *s, const struct raft_variant *v)
{
    const struct blame_origin o = blame_origin(b, v, s->node->cluster);
    const struct raft_message *m = s->fact->message;
    int fits = request_fits(v, s->fact);
    if (!fits || !o.event || o.event->at.order < b->order || (fits == 1 && o.event->at.node != s->node - b->model->node))
        return;
    struct blame_request *r = request_find(b, v);
    if (!r || (r->same && fits == 1))
        return;
    *r = (struct blame_request){.variant = v, .same = fits == 2};
    r->received = step_witness(s, RAFT_HOW_STATED, true);
    r->time = s->fact->time;
    memcpy(r->id, m->request, sizeof r->id);
    memcpy(r->key, m->key, sizeof r->key);
}

static void client_answered(struct blame *b, struct step *s)
{
    const struct raft_message *m = s->fact->message;
    for (size_t i = 0; i < b->requests; i++) {
        struct blame_request *r = &b->request[i];
        if (!m->success || strcmp(r->id, m->request) != 0 || r->answered.how != RAFT_HOW_NONE)
            continue;
        if (m->match && m->match != b->index) { /* the same command, at another index */
            r->received.how = RAFT_HOW_NONE;
            continue;
        }
        r->answered = step_witness(s, RAFT_HOW_ANSWERED, true);
        r->answered_time = s->fact->time;
        r->confirmed = m->match == b->index;
    }
}

void blame_step_client(struct blame *b, const struct raft_fact *fact)
{
    const struct raft_message *m = fact->message;
    bool asked = m && fact->kind == RAFT_FACT_RECEIVED && m->type == RAFT_CLIENT_REQUEST;
    bool answered = m && fact->kind == RAFT_FACT_SENT && m->type == RAFT_CLIENT_RESULT;
    b->order++;
    struct raft_node *n = NULL;
    for (size_t i = 0; (asked || answered) && i < b->model->processes; i++) {
        if (b->model->process[i].number == fact->process && b->model->process[i].node >= 0)
            n = &b->model->node[b->model->process[i].node];
    }
    if (!n)
        return;
    struct step s = {.model = b->model, .node = n, .cluster = &b->model->cluster[n->cluster], .fact = fact};
    if (answered)
        client_answered(b, &s);
    for (struct raft_variant *v = asked ? raft_cluster_entries(s.cluster, b->index) : NULL; v; v = v->next)
        client_asked(b, &s, v);
}

/* --- the whole run --- */

static void feed(void *context, const struct raft_fact *fact)
{
    blame_step(context, fact);
}

static void feed_client(void *context, const struct raft_fact *fact)
{
    blame_step_client(context, fact);
}

bool blame_run(struct blame *b, struct store *s, const struct store_process *process, size_t processes, uint64_t index,
               struct drd_error *e)
{
    bool good = blame_init(b, index);
    for (size_t i = 0; good && i < processes; i++) {
        const struct store_process *p = &process[i];
        raft_model_process(b->model, p->number, p->node ? p->node : "", p->incarnation, p->start, p->end, p->complete);
        raft_model_status(b->model, p->number, p->status);
    }
    if (good && !protocol_walk(s, feed, b, e)) {
        blame_fini(b);
        return false;
    }
    if (good)
        blame_finish(b);
    if (good && b->events && !protocol_walk(s, feed_client, b, e)) {
        blame_fini(b);
        return false;
    }
    if (good && !b->model->out_of_memory)
        return true;
    blame_fini(b);
    return error_set(e, DRD_EXIT_FATAL, "out of memory");
}

const struct raft_variant *blame_holds(const struct blame *b, size_t node)
{
    return node < b->seats && !b->seat[node].unsure ? b->seat[node].held : NULL;
}

const char *blame_name(const struct blame *b, size_t cluster, const char *id)
{
    const struct raft_cluster *c = &b->model->cluster[cluster];
    for (size_t i = 0; i < c->peers; i++) {
        if (c->peer[i].node >= 0 && strcmp(c->peer[i].id, id) == 0)
            return b->model->node[c->peer[i].node].name;
    }
    return id;
}
