#include "raft/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds against hostile or confused input; a cluster has neither so many leaders in a term nor so many members. */
#define TERM_LEADERS 16
#define TERM_VOTES 256
#define CLUSTER_PEERS 1024

static size_t term_place(const struct raft_cluster *c, uint64_t term)
{
    size_t low = 0, high = c->terms;
    if (high && c->term[high - 1].term < term)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->term[middle].term < term)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct raft_term *raft_cluster_term(struct raft_cluster *c, uint64_t term)
{
    size_t place = term_place(c, term);
    return place < c->terms && c->term[place].term == term ? &c->term[place] : NULL;
}

struct raft_term *term_make(struct raft_cluster *c, uint64_t term)
{
    size_t place = term_place(c, term);
    if (place < c->terms && c->term[place].term == term)
        return &c->term[place];
    if ((c->terms & (c->terms - 1)) == 0) { /* full at every power of two */
        struct raft_term *grown = realloc(c->term, (c->terms ? 2 * c->terms : 1) * sizeof *grown);
        if (!grown)
            return NULL;
        c->term = grown;
    }
    memmove(&c->term[place + 1], &c->term[place], (c->terms - place) * sizeof *c->term);
    c->term[place] = (struct raft_term){.term = term};
    c->terms++;
    return &c->term[place];
}

static struct raft_leader *term_leader_add(struct step *s, struct raft_term *t)
{
    if (t->leaders == TERM_LEADERS)
        return NULL;
    struct raft_leader *grown = realloc(t->leader, (t->leaders + 1) * sizeof *grown);
    if (!grown) {
        step_out_of_memory(s);
        return NULL;
    }
    t->leader = grown;
    grown[t->leaders] = (struct raft_leader){0};
    return &grown[t->leaders++];
}

static void node_led(struct step *s, uint64_t term)
{
    if (term <= s->node->leading)
        return;
    s->node->leading = term;
    s->node->leading_since = s->model->facts;
}

void term_led(struct step *s, uint64_t term, enum raft_how how)
{
    uint16_t node = (uint16_t)(s->node - s->model->node);
    struct raft_term *t = term ? term_make(s->cluster, term) : NULL;
    if (!t)
        return;
    node_led(s, term);
    for (size_t i = 0; i < t->leaders; i++) {
        if (!t->leader[i].id[0] && t->leader[i].witness.node == node)
            return;
    }
    struct raft_leader *leader = term_leader_add(s, t);
    if (!leader)
        return;
    leader->witness = step_witness(s, how, true);
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_LEADER, .cluster = s->node->cluster,
                                                          .witness = leader->witness, .term = t, .now = term});
}

static struct raft_peer *peer_make(struct step *s, const char *id)
{
    struct raft_cluster *c = s->cluster;
    for (size_t i = 0; i < c->peers; i++) {
        if (strcmp(c->peer[i].id, id) == 0)
            return &c->peer[i];
    }
    struct raft_peer *grown = c->peers < CLUSTER_PEERS ? realloc(c->peer, (c->peers + 1) * sizeof *grown) : NULL;
    if (!grown)
        return NULL;
    c->peer = grown;
    struct raft_peer *peer = &grown[c->peers++];
    *peer = (struct raft_peer){.node = -1};
    snprintf(peer->id, sizeof peer->id, "%s", id);
    return peer;
}

void term_heard(struct step *s, uint64_t term, const char *id)
{
    const struct raft_peer *peer = term && id[0] ? peer_make(s, id) : NULL;
    struct raft_term *t = peer && peer->node < 0 ? term_make(s->cluster, term) : NULL; /* a recorded node shows it itself */
    for (size_t i = 0; t && i < t->leaders; i++) {
        if (strcmp(t->leader[i].id, id) == 0)
            return;
    }
    struct raft_leader *leader = t ? term_leader_add(s, t) : NULL;
    if (!leader)
        return;
    leader->witness = step_witness(s, RAFT_HOW_HEARD, false);
    memcpy(leader->id, id, sizeof leader->id);
    leader->id[sizeof leader->id - 1] = 0;
}

void term_vote(struct step *s, uint64_t term, const char *candidate)
{
    uint16_t node = (uint16_t)(s->node - s->model->node);
    struct raft_term *t = term ? term_make(s->cluster, term) : NULL;
    if (!t || t->votes == TERM_VOTES)
        return;
    for (size_t i = 0; i < t->votes; i++) {
        if (t->vote[i].witness.node == node && strcmp(t->vote[i].candidate, candidate) == 0)
            return;
    }
    struct raft_vote *grown = realloc(t->vote, (t->votes + 1) * sizeof *grown);
    if (!grown) {
        step_out_of_memory(s);
        return;
    }
    t->vote = grown;
    struct raft_vote *vote = &grown[t->votes++];
    vote->witness = step_witness(s, s->fact->kind == RAFT_FACT_SENT ? RAFT_HOW_SENT : RAFT_HOW_STATED, true);
    snprintf(vote->candidate, sizeof vote->candidate, "%s", candidate);
    const struct raft_letter *heard = &s->node->book.heard;
    vote->silence = heard->at.how != RAFT_HOW_NONE && s->fact->time > heard->time ? s->fact->time - heard->time : 0;
    if (term >= s->node->vote_term) {
        s->node->vote_term = term;
        snprintf(s->node->vote, sizeof s->node->vote, "%s", candidate);
    }
}

struct raft_node *step_node(const struct step *s, const char *id)
{
    for (size_t i = 0; i < s->cluster->peers; i++) {
        if (s->cluster->peer[i].node >= 0 && strcmp(s->cluster->peer[i].id, id) == 0)
            return &s->model->node[s->cluster->peer[i].node];
    }
    return NULL;
}

const char *step_peer(const struct step *s, const char *id)
{
    const struct raft_node *n = step_node(s, id);
    return n ? n->name : id;
}

bool step_tells_term(const struct step *s)
{
    const struct raft_fact *f = s->fact;
    if (f->again)
        return false;
    if (f->kind == RAFT_FACT_SENT || f->kind == RAFT_FACT_RECEIVED)
        return f->message->type != RAFT_NONE && f->message->type < RAFT_OTHER;
    return f->kind == RAFT_FACT_VOTE || f->kind == RAFT_FACT_ROLE || f->kind == RAFT_FACT_TERM;
}

bool step_candidacy(const struct step *s)
{
    const struct raft_fact *f = s->fact;
    return f->kind == RAFT_FACT_VOTE ? strcmp(f->peer, s->node->id) == 0 : f->kind == RAFT_FACT_ROLE && f->role == 1;
}

void peer_heard(struct step *s, const char *id, bool received)
{
    struct raft_peer *peer = id[0] ? peer_make(s, id) : NULL;
    if (peer)
        peer->heard |= received;
}

static const struct raft_process *node_process(const struct raft_model *m, const struct raft_node *n)
{
    for (size_t i = 0; i < m->processes; i++) {
        if (m->process[i].number == n->process)
            return &m->process[i];
    }
    return NULL;
}

/* Two nodes with one id: the later may be the earlier one started again under another name. If both lived at a time,
 * somebody runs two clusters, or a clone; then no comparison between nodes can be trusted. */
static void peer_contested(struct step *s, const struct raft_peer *peer)
{
    const struct raft_node *other = &s->model->node[peer->node];
    const struct raft_process *before = node_process(s->model, other), *now = node_process(s->model, s->node);
    bool apart = before && now && before->end && before->end <= now->start;
    if (!apart && !s->cluster->doubt[0])
        snprintf(s->cluster->doubt, sizeof s->cluster->doubt, "%s and %s both use the id \"%.40s\" at the same time",
                 other->name, s->node->name, peer->id);
}

void peer_self(struct step *s, const char *id)
{
    int node = (int)(s->node - s->model->node);
    if (!id[0] || strcmp(s->node->id, id) == 0)
        return;
    struct raft_peer *peer = peer_make(s, id);
    if (!peer)
        return;
    snprintf(s->node->id, sizeof s->node->id, "%s", id);
    if (peer->node >= 0 && peer->node != node)
        peer_contested(s, peer);
    peer->node = node;
}
