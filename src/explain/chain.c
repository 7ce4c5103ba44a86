/* The chain: steps from what set the stage to the violation. Steps come from four places: the break's own reasons, the
 * elections and the entries that the violation speaks of, what happened to the nodes from outside, and the violation. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "explain/cause.h"
#include "util/text.h"

/* What must stay when there are too many steps. */
enum rank { RANK_REASON, RANK_INCIDENT, RANK_ELECTION, RANK_ENTRY, RANK_VIOLATION, RANK_CAUSE };

#define DRAFT_STEPS 64

struct draft {
    struct {
        struct chain_step step;
        enum rank rank;
    } row[DRAFT_STEPS];
    size_t rows;
    const struct raft_model *model;
    const struct raft_break *cause;
};

static void draft_add(struct draft *d, enum rank rank, const struct raft_witness *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One step an event: of two, the one of higher rank says more. */
static void draft_add(struct draft *d, enum rank rank, const struct raft_witness *at, const char *format, ...)
{
    size_t i = 0;
    if (at->how == RAFT_HOW_NONE)
        return;
    while (i < d->rows && (d->row[i].step.at.process != at->process || d->row[i].step.at.sequence != at->sequence))
        i++;
    if (i == DRAFT_STEPS || (i < d->rows && d->row[i].rank >= rank))
        return;
    if (i == d->rows)
        d->row[d->rows++].step = (struct chain_step){0};
    va_list args;
    va_start(args, format);
    d->row[i].step.at = *at;
    d->row[i].rank = rank;
    vsnprintf(d->row[i].step.text, sizeof d->row[i].step.text, format, args);
    va_end(args);
}

/* The step of this event is a timer's. */
static void draft_timer(struct draft *d, const struct raft_witness *at)
{
    for (size_t i = 0; i < d->rows; i++) {
        if (d->row[i].step.at.process == at->process && d->row[i].step.at.sequence == at->sequence)
            d->row[i].step.timer = d->row[i].rank == RANK_ELECTION;
    }
}

static void draft_sort(struct draft *d)
{
    for (size_t i = 1; i < d->rows; i++) {
        __typeof__(d->row[0]) row = d->row[i];
        size_t place = i;
        for (; place && d->row[place - 1].step.at.order > row.step.at.order; place--)
            d->row[place] = d->row[place - 1];
        d->row[place] = row;
    }
}

/* A node that acts on its own mistake at once: one step. */
static void draft_merge(struct draft *d)
{
    for (size_t i = 0; i + 1 < d->rows; i++) {
        struct chain_step *cause = &d->row[i].step, *next = &d->row[i + 1].step;
        size_t used = strlen(cause->text);
        if (d->row[i].rank != RANK_CAUSE || d->row[i + 1].rank != RANK_VIOLATION || cause->at.process != next->at.process ||
            used + strlen(next->text) + 8 > sizeof cause->text)
            continue;
        snprintf(cause->text + used, sizeof cause->text - used, "; it %s", next->text);
        memmove(&d->row[i + 1], &d->row[i + 2], (--d->rows - i - 1) * sizeof d->row[0]);
        return;
    }
}

/* Too many: the earliest of the lowest rank go first. */
static void draft_cut(struct draft *d)
{
    while (d->rows > CHAIN_STEPS) {
        size_t least = 0;
        for (size_t i = 1; i < d->rows; i++) {
            if (d->row[i].rank < d->row[least].rank)
                least = i;
        }
        memmove(&d->row[least], &d->row[least + 1], (--d->rows - least) * sizeof d->row[0]);
    }
}

static void entry_words(const struct raft_variant *v, char *out, size_t size)
{
    const char *kind = v->type == 'm' ? "a configuration" : v->type == 'n' ? "a no-op" : "an entry";
    if (v->text[0] && v->type != 'm' && v->type != 'n')
        text_quote(v->text, strnlen(v->text, sizeof v->text), out, size);
    else
        snprintf(out, size, "%s", kind);
}

/* --- from outside --- */

static const struct raft_process *process_before(const struct raft_model *m, const struct raft_witness *start)
{
    const struct raft_process *now = NULL;
    for (size_t i = 0; i < m->processes && !now; i++)
        now = m->process[i].number == start->process ? &m->process[i] : NULL;
    for (size_t i = 0; now && i < m->processes; i++) {
        if (m->process[i].node == now->node && m->process[i].incarnation + 1 == now->incarnation)
            return &m->process[i];
    }
    return NULL;
}

/* Whether a list of words, as a fault names nodes, has this one. */
static bool list_has(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = list; length && (p = strstr(p, name)); p += length) {
        if ((p == list || p[-1] == ' ') && (!p[length] || p[length] == ' '))
            return true;
    }
    return false;
}

static bool fault_is(const struct raft_incident *i, const char *what)
{
    return i->kind == RAFT_FACT_FAULT && strcmp(i->text, what) == 0;
}

/* Killed by `drd fault`, before this start of the node and after the last. */
static bool was_killed(const struct raft_model *m, const struct raft_incident *start)
{
    const char *name = m->node[start->at.node].name;
    for (const struct raft_incident *i = start; i-- > m->incident;) {
        if (fault_is(i, "kill") && list_has(i->peer, name))
            return true;
        if (i->kind == RAFT_FACT_START && i->at.node == start->at.node)
            break;
    }
    return false;
}

static void start_words(const struct raft_model *m, const struct raft_incident *i, char *out, size_t size)
{
    const struct raft_process *before = process_before(m, &i->at);
    if (before && before->status != -1 && WIFSIGNALED(before->status))
        snprintf(out, size, "is started again, after it was ended by signal %d", WTERMSIG(before->status));
    else
        snprintf(out, size, "is started again%s", was_killed(m, i) ? ", after it was killed" : "");
}

#define CUT_PEERS 8

#define CUT_PEERS 8
#define HEALS 32

/* `heal` takes no node (all), one (all of its cuts), or several (those between them). */
static bool joins(const struct raft_incident *heal, const char *a, const char *b)
{
    bool first = list_has(heal->peer, a), second = list_has(heal->peer, b), alone = !strchr(heal->peer, ' ');
    return !heal->peer[0] || (alone ? first || second : first && second);
}

static bool is_joined(const struct raft_incident *const *heal, size_t heals, const char *a, const char *b)
{
    for (size_t i = 0; i < heals; i++) {
        if (joins(heal[i], a, b))
            return true;
    }
    return false;
}

/* By name, each once. */
static size_t peer_add(const char **peer, size_t peers, const char *name)
{
    size_t place = 0;
    while (place < peers && strcmp(peer[place], name) < 0)
        place++;
    if (peers == CUT_PEERS || (place < peers && strcmp(peer[place], name) == 0))
        return peers;
    memmove(&peer[place + 1], &peer[place], (peers - place) * sizeof *peer);
    peer[place] = name;
    return peers + 1;
}

/* "is cut off from n2 and n3": all from whom it is cut off then. Back from the last cut; behind too many heals it is not
 * known. */
static void cut_words(const struct raft_model *m, const struct raft_incident *last, char *out, size_t size)
{
    const struct raft_incident *heal[HEALS];
    const char *peer[CUT_PEERS], *name = m->node[last->at.node].name;
    size_t peers = 0, heals = 0, used;
    for (const struct raft_incident *i = last + 1; i-- > m->incident && heals < HEALS;) {
        if (fault_is(i, "heal"))
            heal[heals++] = i;
        else if (fault_is(i, "cut") && i->at.node == last->at.node && i->peer[0] && !is_joined(heal, heals, name, i->peer))
            peers = peer_add(peer, peers, i->peer);
    }
    used = (size_t)snprintf(out, size, "is cut off from %s", peers ? "" : "its peers");
    for (size_t i = 0; i < peers && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : i + 1 == peers ? " and " : ", ", peer[i]);
}

static void incident_words(const struct raft_model *m, const struct raft_incident *i, char *out, size_t size)
{
    if (i->kind == RAFT_FACT_START)
        start_words(m, i, out, size);
    else if (i->kind == RAFT_FACT_WRITE_FAILED)
        snprintf(out, size, "%s", i->text);
    else if (fault_is(i, "cut"))
        cut_words(m, i, out, size);
    else
        snprintf(out, size, "%s %s", i->text, i->peer);
}

static bool sets_the_stage(const struct raft_incident *i)
{
    return i->kind != RAFT_FACT_FAULT || fault_is(i, "cut");
}

/* The latest thing that happened to a node from outside in a stretch of the run. NULL: nothing did. */
static const struct raft_incident *incident_latest(const struct raft_model *m, uint16_t node, uint64_t after,
                                                   uint64_t before)
{
    for (size_t i = m->incidents; i-- > 0;) {
        const struct raft_incident *incident = &m->incident[i];
        if (incident->at.node == node && incident->at.order > after && incident->at.order < before &&
            sets_the_stage(incident))
            return incident;
    }
    return NULL;
}

/* Why a leader lost its office: what happened to it before the next was elected. */
static void draft_deposed(struct draft *d, size_t cluster, const struct raft_term *t, const struct raft_leader *next)
{
    const struct raft_cluster *c = &d->model->cluster[cluster];
    const struct raft_term *previous = t;
    char words[RAFT_WORDS];
    do {
        if (previous == c->term)
            return;
        previous--;
    } while (!previous->leaders);
    const struct raft_leader *l = &previous->leader[0];
    const struct raft_incident *i =
        l->id[0] ? NULL : incident_latest(d->model, l->witness.node, l->witness.order, next->witness.order);
    if (!i)
        return;
    incident_words(d->model, i, words, sizeof words);
    draft_add(d, RANK_INCIDENT, &i->at, "%s", words);
}

/* --- elections --- */

static const char *leader_id(const struct raft_model *m, const struct raft_leader *l)
{
    return l->id[0] ? l->id : m->node[l->witness.node].id;
}

/* ", elected by n1, n2 and n3" */
static void voters_words(const struct draft *d, const struct raft_term *t, const struct raft_leader *l, char *out,
                         size_t size)
{
    const char *last = NULL; /* held back, as the word in front of it depends on what follows */
    size_t used = 0, named = 0;
    out[0] = 0;
    for (size_t i = 0; i < t->votes && used < size; i++) {
        if (t->vote[i].witness.node == l->witness.node || strcmp(t->vote[i].candidate, leader_id(d->model, l)) != 0)
            continue;
        if (last)
            used += (size_t)snprintf(out + used, size - used, "%s%s", named++ ? ", " : ", elected by ", last);
        last = d->model->node[t->vote[i].witness.node].name;
    }
    if (last && used < size)
        snprintf(out + used, size - used, "%s%s", named ? " and " : ", elected by ", last);
}

/* The vote that a leader gave itself: where its candidacy began. */
static const struct raft_vote *own_vote(const struct draft *d, const struct raft_term *t, const struct raft_leader *l)
{
    for (size_t i = 0; i < t->votes; i++) {
        if (t->vote[i].witness.node == l->witness.node && strcmp(t->vote[i].candidate, leader_id(d->model, l)) == 0)
            return &t->vote[i];
    }
    return NULL;
}

/* The mistake was the way into office: that it was a candidate then need not be said. */
static bool says_all(const struct draft *d, const struct raft_term *t, const struct raft_vote *own)
{
    const struct raft_break *b = d->cause;
    return b->spoils == RAFT_SPOILS_ELECTION && b->term == t->term && b->at.node == own->witness.node &&
           b->at.order <= own->witness.order;
}

static void draft_leader(struct draft *d, const struct raft_term *t, const struct raft_leader *l)
{
    char voters[128], silence[64] = "";
    const struct raft_vote *own = l->id[0] ? NULL : own_vote(d, t, l);
    voters_words(d, t, l, voters, sizeof voters);
    if (l->id[0]) {
        draft_add(d, RANK_ELECTION, &l->witness, "hears from %s as leader of term %" PRIu64 "%s", l->id, t->term, voters);
    } else if (!own) {
        draft_add(d, RANK_ELECTION, &l->witness, "leads term %" PRIu64 "%s", t->term, voters);
    } else if (!says_all(d, t, own)) {
        if (own->silence)
            snprintf(silence, sizeof silence, ", %" PRIu64 " ms after it last heard from a leader", own->silence / 1000000);
        draft_add(d, RANK_ELECTION, &own->witness, "becomes candidate of term %" PRIu64 "%s%s", t->term, silence, voters);
        draft_timer(d, &own->witness);
    }
}

static void draft_election(struct draft *d, size_t cluster, uint64_t term)
{
    const struct raft_term *t = term && term != UINT64_MAX ? raft_cluster_term(&d->model->cluster[cluster], term) : NULL;
    for (size_t i = 0; t && i < t->leaders; i++) {
        draft_leader(d, t, &t->leader[i]);
        draft_deposed(d, cluster, t, &t->leader[i]);
    }
}

/* --- entries --- */

static bool led(const struct draft *d, size_t cluster, const struct raft_witness *w, uint64_t term)
{
    const struct raft_term *t = raft_cluster_term(&d->model->cluster[cluster], term);
    for (size_t i = 0; t && i < t->leaders; i++) {
        if (!t->leader[i].id[0] && t->leader[i].witness.node == w->node)
            return true;
    }
    return false;
}

/* How an entry came into the world, and how it was taken out of a log. */
static void draft_variant(struct draft *d, size_t cluster, const struct raft_variant *v)
{
    char entry[48], other[48] = "";
    entry_words(v, entry, sizeof entry);
    if (v->replaced_by)
        entry_words(v->replaced_by, other, sizeof other);
    draft_election(d, cluster, v->term);
    draft_add(d, RANK_ENTRY, &v->shown, "%s %s at index %" PRIu64 " (term %" PRIu64 ")",
              led(d, cluster, &v->shown, v->term) ? "appends" : "has", entry, v->index, v->term);
    if (v->replaced_by)
        draft_add(d, RANK_ENTRY, &v->replaced,
                  "replaces %s (term %" PRIu64 ") at index %" PRIu64 " by %s (term %" PRIu64 ")", entry, v->term, v->index,
                  other, v->replaced_by->term);
    else
        draft_add(d, RANK_ENTRY, &v->replaced, "deletes %s at index %" PRIu64 " (term %" PRIu64 ")", entry, v->index,
                  v->term);
}

/* The term that a node led at an event. 0: none. */
static uint64_t term_led(const struct draft *d, size_t cluster, const struct raft_witness *w)
{
    const struct raft_cluster *c = &d->model->cluster[cluster];
    for (size_t i = c->terms; i-- > 0;) {
        const struct raft_term *t = &c->term[i];
        for (size_t l = 0; l < t->leaders; l++) {
            if (!t->leader[l].id[0] && t->leader[l].witness.node == w->node && t->leader[l].witness.order <= w->order)
                return t->term;
        }
    }
    return 0;
}

/* A side that is no entry: what the node showed. */
static void draft_side(struct draft *d, const struct raft_finding *f, size_t i)
{
    const struct raft_side *side = &f->side[i];
    const struct raft_witness *at = side->witnesses ? &side->witness[0] : NULL;
    if (!at)
        return;
    switch (f->property) {
    case RAFT_ELECTION_SAFETY:
        draft_add(d, RANK_VIOLATION, at, "leads term %" PRIu64, f->term);
        break;
    case RAFT_LINEARIZABLE_READS:
        draft_election(d, f->cluster, term_led(d, f->cluster, at));
        draft_add(d, RANK_VIOLATION, at, i == 0 ? "tells its client that index %" PRIu64 " is done"
                                                : "answers a read without index %" PRIu64, f->index);
        break;
    case RAFT_EXACTLY_ONCE:
        draft_add(d, RANK_VIOLATION, at,
                  at->how == RAFT_HOW_APPLIED ? "applies the command at index %" PRIu64 ", and its state changes"
                                              : "tells its client what the command of index %" PRIu64 " came to",
                  i ? f->index : f->first);
        break;
    case RAFT_APPLIED_IN_ORDER:
        draft_add(d, RANK_VIOLATION, at, "applies index %" PRIu64 " after index %" PRIu64, f->index, side->value);
        break;
    case RAFT_COMMIT_MONOTONIC:
        draft_add(d, RANK_VIOLATION, at, "has commit index %" PRIu64 ", after %" PRIu64, f->index, side->value);
        break;
    case RAFT_TERM_MONOTONIC:
        draft_add(d, RANK_VIOLATION, at, "is in term %" PRIu64 ", after term %" PRIu64, f->term, side->value);
        break;
    default:
        break;
    }
}

static void draft_state(struct draft *d, const struct raft_side *side, const char *entry)
{
    draft_add(d, RANK_VIOLATION, &side->witness[0], "applies %s at index %" PRIu64 ": its state is %016" PRIx64 " then",
              entry, side->variant->index, side->value);
    for (size_t i = 0; i < d->rows; i++)
        d->row[i].step.applies |=
            d->row[i].step.at.order == side->witness[0].order && side->witness[0].how == RAFT_HOW_APPLIED;
}

static void draft_violation(struct draft *d, const struct raft_finding *f)
{
    for (size_t i = 0; i < f->sides; i++) {
        const struct raft_side *side = &f->side[i];
        char entry[48];
        if (!side->variant || !side->witnesses) {
            draft_side(d, f, i);
            continue;
        }
        entry_words(side->variant, entry, sizeof entry);
        bool applied = side->witness[0].how == RAFT_HOW_APPLIED;
        draft_variant(d, f->cluster, side->variant);
        if (f->property == RAFT_STATE_DETERMINISM) {
            draft_state(d, side, entry);
            continue;
        }
        draft_election(d, f->cluster, side->variant->led_term);
        draft_add(d, RANK_VIOLATION, &side->witness[0], "%s %s at index %" PRIu64 " (term %" PRIu64 ")",
                  f->property == RAFT_STATE_MACHINE_SAFETY ? (applied ? "applies" : "has committed") : "holds", entry,
                  side->variant->index, side->variant->term);
    }
}

/* The node lost afterwards what it had spoken of too early. */
static void draft_forgotten(struct draft *d, const struct raft_break *b)
{
    char words[RAFT_WORDS];
    for (size_t i = 0; i < d->model->incidents; i++) {
        const struct raft_incident *incident = &d->model->incident[i];
        if (incident->kind != RAFT_FACT_START || incident->at.node != b->at.node || incident->at.order < b->at.order)
            continue;
        incident_words(d->model, incident, words, sizeof words);
        draft_add(d, RANK_ELECTION, &incident->at, "%s", words);
        return;
    }
}

/* The restart at which something was lost. */
static void draft_restart(struct draft *d, const struct raft_break *b)
{
    char words[RAFT_WORDS];
    for (size_t i = d->model->incidents; i-- > 0;) {
        const struct raft_incident *incident = &d->model->incident[i];
        if (incident->kind != RAFT_FACT_START || incident->at.process != b->at.process)
            continue;
        incident_words(d->model, incident, words, sizeof words);
        draft_add(d, RANK_CAUSE, &incident->at, "%s", words);
        return;
    }
}

void chain_build(struct cause *c, const struct raft_model *m, const struct raft_finding *f)
{
    const struct raft_break *b = c->rule_break;
    struct draft d = {.model = m, .cause = b};
    draft_add(&d, RANK_CAUSE, &b->at, "%s", b->text);
    for (size_t i = 0; i < b->reasons; i++) { /* what shows the mistake afterwards is no step towards a violation */
        if (!f || b->reason[i].at.order <= b->at.order)
            draft_add(&d, RANK_REASON, &b->reason[i].at, "%s", b->reason[i].text);
    }
    draft_election(&d, b->cluster, b->term);
    if (f)
        draft_violation(&d, f);
    if (b->class == RAFT_T14 || b->class == RAFT_T15 || b->class == RAFT_T25)
        draft_restart(&d, b);
    if (b->class == RAFT_T03 || b->class == RAFT_T05)
        draft_forgotten(&d, b);
    draft_sort(&d);
    draft_merge(&d);
    draft_cut(&d);
    for (size_t i = 0; i < d.rows; i++)
        c->step[c->steps++] = d.row[i].step;
}
