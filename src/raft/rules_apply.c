/* What reaches the state machine and the clients: T21, T23, T24, and the property that reads see what was acknowledged. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* Reads not answered yet, and keys whose latest acknowledged write is remembered. More are forgotten: nothing is said of
 * them. */
#define READS_OPEN 256
#define KEYS_KEPT 4096
#define REPEATS_LOOKED_AT 1024 /* entries back, for a command that was sent again */

/* Marks state each apply; an adapter may only see how far a node is. */
static bool is_each(const struct raft_fact *f)
{
    return f->entry.term != 0;
}

struct machine {
    uint64_t applied;       /* index applied last in this incarnation, 0: not known */
    struct raft_witness at;
    uint64_t base, base_term, base_state; /* the snapshot that it began with: index, term, digest of the state; 0 unknown */
    struct raft_witness base_at;
};

/* A read that a node has taken and not answered. */
struct read {
    char key[48];
    uint64_t request; /* hash */
    uint16_t node;
    struct raft_letter asked;
    uint64_t write;         /* order of the answer to the latest write of the key that was acknowledged before; 0: none */
};

/* A write of a key, from its request on. */
struct write {
    uint64_t request, key; /* hashes: there are many */
    uint64_t value, index;
    uint64_t asked, answered; /* orders; answered 0: not yet */
    struct raft_witness at;   /* of the answer */
};

/* A command that is to be applied once, and what the client was told first. */
struct once {
    uint64_t name, value; /* hashes */
    struct raft_witness at;
};

/* Results on their way: the order at which each was sent, by message id. What is overwritten counts as sent late. */
#define RESULTS_KEPT 16384

struct result_sent {
    uint64_t id, order;
};

struct apply {
    struct once *once;
    size_t onces;
    struct result_sent *result; /* RESULTS_KEPT, by the lower bits of the id */
    struct each machine;    /* struct machine */
    struct read *read;
    size_t reads;
    struct write *write;    /* the latest of each key that is not superseded, in no order */
    size_t writes;
};

static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    while (*text)
        h = (h ^ (unsigned char)*text++) * 1099511628211u;
    return h;
}

static struct machine *machine_of(struct step *s, struct apply *a)
{
    return each_of(s, &a->machine, sizeof(struct machine));
}

/* --- the order of applying (T23) --- */

static void order_broken(struct step *s, const struct machine *m, uint64_t index)
{
    bool again = index <= m->applied;
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->fact->entry.term, index, again ? "again" : "skipped");
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_ORDER, .cluster = s->node->cluster,
                                                          .witness = step_witness(s, RAFT_HOW_APPLIED, true),
                                                          .before = m->applied, .now = index});
    if (again)
        break_text(b, "again", "%s applied index %" PRIu64 " again, after it had applied index %" PRIu64, s->node->name,
                   index, m->applied);
    else
        break_text(b, "skipped", "%s applied index %" PRIu64 " after index %" PRIu64 ": what is between was left out",
                   s->node->name, index, m->applied);
    if (b)
        break_reason(b, &m->at, "applies index %" PRIu64, m->applied);
}

static void check_order(struct step *s, struct apply *a)
{
    struct machine *m = machine_of(s, a);
    uint64_t index = s->fact->entry.index;
    if (!m || !index || !is_each(s->fact))
        return;
    if (m->applied && index != m->applied + 1)
        order_broken(s, m, index);
    m->applied = index;
    m->at = step_witness(s, RAFT_HOW_APPLIED, true);
}

/* The state begins anew at the snapshot: one that was taken of it leaves it as it is. */
static void machine_snapshot(struct step *s, struct apply *a)
{
    struct machine *m = machine_of(s, a);
    const struct raft_fact *f = s->fact;
    if (!m || f->index <= m->applied)
        return;
    m->applied = m->base = f->index;
    m->at = m->base_at = step_witness(s, RAFT_HOW_SNAPSHOT, true);
    m->base_term = f->term;
    m->base_state = f->entry.digest;
}

/* --- the outcome of applying (T24) --- */

static const struct raft_variant *applied_variant(struct step *s)
{
    const struct raft_entry *e = &s->fact->entry;
    const struct raft_variant *v = raft_cluster_entries(s->cluster, e->index);
    const struct raft_slot *slot = raft_node_slot(s->node, e->index);
    if (!e->term || (slot && slot->variant->term == e->term))
        return slot ? slot->variant : NULL;
    while (v && v->term != e->term)
        v = v->next;
    return v;
}

/* The entry before left the same state on both nodes: so it is this one that makes the difference. */
static bool equal_before(struct step *s, const struct raft_variant *v)
{
    const struct raft_variant *before = raft_cluster_entries(s->cluster, v->index - 1);
    for (; before; before = before->next) {
        if (before->applied.how != RAFT_HOW_NONE)
            return true; /* a difference there would have been found there */
    }
    return v->index == 1;
}

/* What another node's state was after applying this index. NULL: not seen. */
static const struct raft_variant *state_at(struct step *s, uint64_t index, uint64_t term)
{
    const struct raft_variant *v = raft_cluster_entries(s->cluster, index);
    while (v && (v->term != term || v->applied.how == RAFT_HOW_NONE))
        v = v->next;
    return v;
}

/* A state that was asked for shows later what was done when the entry was committed. */
static void break_at_apply(struct step *s, struct raft_break *b, uint64_t index)
{
    const struct raft_witness *at = b && !is_each(s->fact) ? commit_learnt(s->node, index) : NULL;
    if (at)
        b->at = *at;
}

/* T23: the state began with a snapshot that says another index than the one its state is of. */
static bool check_base(struct step *s, const struct machine *m)
{
    const struct raft_variant *v = m && m->base_state ? state_at(s, m->base, m->base_term) : NULL;
    if (!v || v->state == m->base_state || v->applied.node == (uint16_t)(s->node - s->model->node))
        return false;
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->fact->entry.term, m->base + 1, "base");
    break_text(b, "base", "%s applied index %" PRIu64 " on the state of its snapshot, which says index %" PRIu64
               " and holds another state", s->node->name, s->fact->entry.index, m->base);
    break_reason(b, &m->base_at, "begins with its snapshot up to index %" PRIu64 ", of state %016" PRIx64, m->base, m->base_state);
    break_at_apply(s, b, m->base + 1);
    return true;
}

/* T08, not seen itself: a leaderCommit reached into entries that were not the leader's, which the node replaced only later,
 * and its state is another since. */
static bool check_tempted(struct step *s, const struct raft_variant *v)
{
    const struct raft_letter *t = &s->node->book.tempting;
    const struct raft_slot *now = t->at.how != RAFT_HOW_NONE && t->index <= v->index ? raft_node_slot(s->node, t->index) : NULL;
    if (!now || now->variant->term == t->log_term)
        return false;
    struct raft_break *b = break_add(s, RAFT_T08, RAFT_SPOILS_STATE, t->term, t->index, "");
    break_text(b, "tempted",
               "%s applied its own entry of index %" PRIu64 " (term %" PRIu64 ") when a leaderCommit of %" PRIu64
               " came, which did not verify it", s->node->name, t->index, t->log_term, t->commit);
    if (b)
        b->at = t->at;
    break_likely(b, "that it applied them follows from its state, which is another than that of %s after the same log; marks would show it",
                 s->model->node[v->applied.node].name);
    return true;
}

/* The same command at an earlier index: a client sent it again, and it is to have no effect. 0: there is none. */
static uint64_t repeats(struct step *s, const struct raft_variant *v)
{
    for (uint64_t i = v->index; --i > 0 && v->digest && v->index - i < REPEATS_LOOKED_AT;) {
        const struct raft_variant *w = raft_cluster_entries(s->cluster, i);
        for (; w; w = w->next) {
            if (w->type == 'c' && raft_variant_shows(w, v->digest, v->protocol))
                return i;
        }
    }
    return 0;
}

static void check_repeated(struct step *s, const struct raft_variant *v, uint64_t earlier)
{
    struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, v->term, v->index, "repeated");
    break_text(b, "repeated", "%s applied index %" PRIu64 ", a repetition of index %" PRIu64
               ", to another effect than %s did", s->node->name, v->index, earlier, s->model->node[v->applied.node].name);
    if (b)
        break_reason(b, &v->applied, "applies index %" PRIu64 ": its state is %016" PRIx64 " then", v->index, v->state);
    break_at_apply(s, b, v->index);
    break_likely(b, "that the command is to be applied once only follows from its being sent twice; a mark of the client's request would show it");
}

/* Something else than this entry made the states differ: a broken rule, or another entry that was applied before. */
static bool differ_already(const struct step *s, uint64_t index)
{
    const struct raft_model *m = s->model;
    for (size_t i = 0; i < m->breaks; i++) {
        if (m->rule_break[i].spoils == RAFT_SPOILS_STATE && m->rule_break[i].index <= index)
            return true;
    }
    for (size_t i = 0; i < m->findings; i++) {
        if (m->finding[i].property == RAFT_STATE_MACHINE_SAFETY && m->finding[i].cluster == s->node->cluster &&
            m->finding[i].index <= index)
            return true;
    }
    return false;
}

static void check_outcome(struct step *s, struct apply *a)
{
    uint64_t state = s->fact->entry.digest;
    const struct raft_variant *v = state ? applied_variant(s) : NULL;
    uint16_t node = (uint16_t)(s->node - s->model->node);
    if (!v || v->applied.how == RAFT_HOW_NONE || v->state == state || v->applied.node == node)
        return;
    if (differ_already(s, v->index))
        return;
    if (check_base(s, machine_of(s, a)) || check_tempted(s, v))
        return;
    uint64_t earlier = repeats(s, v);
    if (earlier) {
        check_repeated(s, v, earlier);
        return;
    }
    struct raft_break *b = break_add(s, RAFT_T24, RAFT_SPOILS_STATE, v->term, v->index, "");
    break_text(b, "outcome", "%s and %s have different states after the same entry of index %" PRIu64 " (term %" PRIu64 ")",
               s->model->node[v->applied.node].name, s->node->name, v->index, v->term);
    if (b)
        break_reason(b, &v->applied, "applies index %" PRIu64 ": its state is %016" PRIx64 " then", v->index, v->state);
    break_at_apply(s, b, v->index);
    if (b && (!equal_before(s, v) || !is_each(s->fact)))
        break_likely(b, "that the states were equal before this entry, and that it was applied once on each, was not seen");
}

/* --- clients (T21) --- */

static void read_open(struct step *s, struct apply *a, const struct raft_message *m)
{
    if (!a->read)
        a->read = malloc(READS_OPEN * sizeof *a->read);
    if (!a->read) {
        step_out_of_memory(s);
        return;
    }
    if (a->reads == READS_OPEN)
        memmove(a->read, a->read + 1, --a->reads * sizeof *a->read);
    struct read *r = &a->read[a->reads++];
    *r = (struct read){.node = (uint16_t)(s->node - s->model->node), .asked = s->node->book.trigger};
    r->asked.at = step_witness(s, RAFT_HOW_HEARD, true);
    r->request = hash(m->request);
    memcpy(r->key, m->key, sizeof r->key);
    for (size_t i = 0; i < a->writes; i++) {
        if (a->write[i].answered && a->write[i].key == hash(m->key) && a->write[i].answered > r->write)
            r->write = a->write[i].answered;
    }
}

static void write_open(struct step *s, struct apply *a, const struct raft_message *m)
{
    if (!a->write)
        a->write = malloc(KEYS_KEPT * sizeof *a->write);
    if (!a->write) {
        step_out_of_memory(s);
        return;
    }
    if (a->writes == KEYS_KEPT)
        return;
    struct write *w = &a->write[a->writes++];
    *w = (struct write){.request = hash(m->request), .key = hash(m->key), .value = m->value, .asked = s->model->facts};
}

/* An acknowledged write takes the place of those of its key that were acknowledged before it was asked for. */
static void write_close(struct step *s, struct apply *a, const struct raft_message *m)
{
    struct write *w = NULL;
    uint64_t request = hash(m->request);
    for (size_t i = 0; i < a->writes && !w; i++) {
        if (a->write[i].request == request)
            w = &a->write[i];
    }
    if (!w)
        return;
    w->answered = m->success ? s->model->facts : 0;
    w->index = m->match;
    w->value = w->value ? w->value : m->value; /* what a count came to, only the answer tells */
    w->at = step_witness(s, RAFT_HOW_ANSWERED, true);
    struct write kept = *w;
    size_t count = 0;
    for (size_t i = 0; i < a->writes; i++) {
        const struct write *o = &a->write[i];
        bool superseded = kept.answered && o->key == kept.key && o->answered && o->answered < kept.asked;
        if (!superseded)
            a->write[count++] = *o;
    }
    a->writes = count;
}

struct contact {
    const struct raft_node *node;
    uint64_t since; /* order */
};

static bool contacted(void *context, const char *id)
{
    const struct contact *c = context;
    const struct raft_exchange *x = book_find(&c->node->book, id);
    return strcmp(id, c->node->id) == 0 || (x && x->result_got.at.how != RAFT_HOW_NONE && x->result_got.at.order > c->since &&
                                           (!x->confirmed || x->confirmed > c->since));
}

/* The read was told a value that an acknowledged write had replaced before it was asked. */
static const struct write *read_is_stale(const struct apply *a, const struct read *r, const struct raft_message *m)
{
    const struct write *due = NULL;
    uint64_t key = hash(r->key);
    for (size_t i = 0; i < a->writes; i++) {
        const struct write *w = &a->write[i];
        if (w->key != key)
            continue;
        if (!w->value || w->value == m->value) /* it may have left any value */
            return NULL;
        if (w->answered && w->answered < r->asked.at.order)
            due = w;
    }
    return due;
}

static void stale_finding(struct step *s, const struct read *r, const struct write *due)
{
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_READ, .cluster = s->node->cluster,
                                                          .witness = step_witness(s, RAFT_HOW_ANSWERED, true), .other = due->at,
                                                          .before = due->index, .now = r->asked.at.sequence});
}

static void check_read(struct step *s, const struct read *r, bool stale)
{
    struct raft_node *n = s->node;
    const struct raft_members *members = members_at(&n->book, n->last);
    struct contact c = {n, r->asked.at.order};
    bool leads = node_leads(n);
    bool majority = members && members_majority(members->text, contacted, &c);
    if (leads && majority && leader_committed_own(s))
        return;
    struct raft_break *b = break_add(s, RAFT_T21, RAFT_SPOILS_READ, n->leading, 0, "");
    if (!leads)
        break_text(b, "follower", "%s answered a read of \"%s\" without leading", n->name, r->key);
    else if (!majority)
        break_text(b, "unconfirmed", "%s, leader of term %" PRIu64
                   ", answered a read of \"%s\" without having heard from a majority since it was asked", n->name,
                   n->leading, r->key);
    else
        break_text(b, "own-term", "%s, leader of term %" PRIu64
                   ", answered a read of \"%s\" before an entry of its term was committed", n->name, n->leading, r->key);
    if (b)
        break_reason(b, &r->asked.at, "is asked to read \"%s\"", r->key);
    if (!stale && (!leads || !members))
        break_likely(b, "whether a leader confirmed the read for it was not seen");
}

static void read_close(struct step *s, struct apply *a, const struct raft_message *m)
{
    uint64_t request = hash(m->request);
    size_t i = 0;
    while (i < a->reads && (a->read[i].node != (uint16_t)(s->node - s->model->node) || a->read[i].request != request))
        i++;
    if (i == a->reads)
        return;
    struct read r = a->read[i];
    memmove(&a->read[i], &a->read[i + 1], (--a->reads - i) * sizeof *a->read);
    if (!m->success)
        return;
    const struct write *due = read_is_stale(a, &r, m);
    check_read(s, &r, due != NULL);
    if (due)
        stale_finding(s, &r, due);
}

/* T23: two answers to one command. */
static void once_close(struct step *s, struct apply *a, const struct raft_message *m)
{
    uint64_t name = hash(m->once);
    if (!m->once[0] || !m->success || !m->value)
        return;
    for (size_t i = 0; i < a->onces; i++) {
        if (a->once[i].name != name)
            continue;
        if (a->once[i].value == m->value)
            return;
        struct raft_break *b = break_add(s, RAFT_T23, RAFT_SPOILS_STATE, s->node->term, m->match, "once");
        break_text(b, "once", "%s applied a command of a client again, when it was sent again: the second answer is another",
                   s->node->name);
        if (b)
            break_reason(b, &a->once[i].at, "answers the command for the first time");
        return;
    }
    if (!a->once)
        a->once = malloc(KEYS_KEPT * sizeof *a->once);
    if (!a->once)
        step_out_of_memory(s);
    else if (a->onces < KEYS_KEPT)
        a->once[a->onces++] = (struct once){name, m->value, step_witness(s, RAFT_HOW_ANSWERED, true)};
}

/* When a result that is received was sent: what was sent before a question cannot be an answer to it. */
static void result_passes(struct step *s, struct apply *a, const struct raft_message *m)
{
    if (m->type != RAFT_APPEND_ENTRIES_RESULT && m->type != RAFT_INSTALL_SNAPSHOT_RESULT)
        return;
    if (!a->result)
        a->result = calloc(RESULTS_KEPT, sizeof *a->result);
    struct raft_exchange *x = book_find(&s->node->book, m->from);
    struct result_sent *r = a->result ? &a->result[m->id % RESULTS_KEPT] : NULL;
    if (!r)
        step_out_of_memory(s);
    else if (s->fact->kind == RAFT_FACT_SENT)
        *r = (struct result_sent){m->id, s->model->facts};
    else if (x)
        x->confirmed = m->id && r->id == m->id ? r->order : 0;
}

static void client(struct step *s, struct apply *a)
{
    const struct raft_message *m = s->fact->message;
    bool at_server = s->fact->kind == (m->type == RAFT_CLIENT_REQUEST ? RAFT_FACT_RECEIVED : RAFT_FACT_SENT);
    if (!at_server || !m->request[0])
        return;
    if (m->type == RAFT_CLIENT_RESULT)
        once_close(s, a, m);
    if (m->type == RAFT_CLIENT_REQUEST)
        m->read ? read_open(s, a, m) : write_open(s, a, m);
    else
        m->read ? read_close(s, a, m) : write_close(s, a, m);
}

/* --- the facts --- */

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    bool message = f->kind == RAFT_FACT_SENT || f->kind == RAFT_FACT_RECEIVED;
    if (message && (f->message->type == RAFT_CLIENT_REQUEST || f->message->type == RAFT_CLIENT_RESULT))
        client(s, state);
    else if (message)
        result_passes(s, state, f->message);
    if (f->kind == RAFT_FACT_SNAPSHOT && !f->again)
        machine_snapshot(s, state);
    if (f->kind != RAFT_FACT_APPLY)
        return;
    check_order(s, state);
    check_outcome(s, state);
}

static void restart(struct step *s, void *state)
{
    struct machine *m = machine_of(s, state);
    if (m)
        *m = (struct machine){0};
}

static void fini(void *state)
{
    struct apply *a = state;
    each_fini(&a->machine);
    free(a->once);
    free(a->result);
    free(a->read);
    free(a->write);
}

const struct raft_rules rules_apply = {
    .name = "apply", .size = sizeof(struct apply), .before = before, .restart = restart, .fini = fini,
};
