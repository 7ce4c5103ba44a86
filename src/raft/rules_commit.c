/* What a node may count as committed: T07, T08, T09, T12, and T05 for a leader that counts itself too early. Also T13, the
 * bookkeeping behind it. */
#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* The commit index that a fact shows, 0 if none. Only what the node says itself: what follows from messages it got is
 * legal by construction. */
static uint64_t commit_shown(const struct raft_fact *f)
{
    switch (f->kind) {
    case RAFT_FACT_SENT:
        if (f->message->type == RAFT_CLIENT_RESULT)
            return f->message->success && !f->message->read ? f->message->match : 0;
        return f->message->type == RAFT_APPEND_ENTRIES ? f->message->commit : 0;
    case RAFT_FACT_COMMIT:
        return f->loaded ? 0 : f->index;
    case RAFT_FACT_APPLY:
        return f->entry.index;
    default:
        return 0;
    }
}

/* --- the leader --- */

struct count {
    const struct raft_node *node;
    uint64_t index, term;
    bool stale;    /* results of other terms count too */
    bool self;     /* the leader counts itself */
    const char *also; /* id that counts too, whatever it acknowledged; NULL: none */
};

static bool letter_covers(const struct raft_letter *l, const struct count *c)
{
    return l->at.how != RAFT_HOW_NONE && l->index >= c->index && (c->stale || l->term == c->term);
}

static bool acknowledged(void *context, const char *id)
{
    const struct count *c = context;
    if (strcmp(id, c->node->id) == 0)
        return c->self;
    if (c->also && strcmp(id, c->also) == 0)
        return true;
    const struct raft_exchange *x = book_find(&c->node->book, id);
    return x && (letter_covers(&x->acknowledged, c) || (c->stale && letter_covers(&x->stale, c)));
}

/* A majority of the members in force at the leader. Where the configuration is not known, all that were ever heard of are
 * taken for members: then a minority cannot be told for certain. */
static bool counted(struct step *s, struct count *c, bool *known)
{
    const struct raft_members *members = members_at(&s->node->book, s->node->last);
    *known = members != NULL;
    if (members)
        return members_majority(members->text, acknowledged, c);
    unsigned with = 0, all = 0;
    for (size_t i = 0; i < s->cluster->peers; i++) {
        all++;
        with += acknowledged(c, s->cluster->peer[i].id);
    }
    return 2 * with > all;
}

/* The event at which the leader could first count what it counted: the last acknowledgement of `index`, or its own write.
 * NULL: neither was seen. */
static const struct raft_witness *count_completed(const struct raft_node *n, uint64_t index)
{
    const struct raft_slot *slot = raft_node_slot((struct raft_node *)n, index);
    const struct raft_witness *last = slot && slot->synced.how != RAFT_HOW_NONE ? &slot->synced : NULL;
    for (size_t i = 0; i < n->book.exchanges; i++) {
        const struct raft_letter *l = &n->book.exchange[i].result_got;
        if (l->at.how != RAFT_HOW_NONE && l->success && l->index >= index && (!last || l->at.order > last->order))
            last = &l->at;
    }
    return last;
}

static void reasons_of_count(struct raft_break *b, struct step *s, uint64_t index, uint64_t term)
{
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    const struct raft_term *led = raft_cluster_term(s->cluster, term);
    if (!b)
        return;
    if (slot)
        break_reason(b, &slot->variant->shown, "has index %" PRIu64 " of term %" PRIu64 " in its log", index,
                     slot->variant->term);
    for (size_t i = 0; led && i < led->leaders; i++) {
        if (led->leader[i].witness.node == (uint16_t)(s->node - s->model->node))
            break_reason(b, &led->leader[i].witness, "leads term %" PRIu64, term);
    }
    for (size_t i = 0; i < s->node->book.exchanges; i++) {
        const struct raft_exchange *x = &s->node->book.exchange[i];
        const struct raft_letter *l =
            letter_covers(&x->acknowledged, &(struct count){.index = index, .stale = true}) ? &x->acknowledged : &x->stale;
        if (l->at.how != RAFT_HOW_NONE && l->index >= index)
            break_reason(b, &l->at, "gets the acknowledgement of index %" PRIu64 " in term %" PRIu64 " from %s", l->index,
                         l->term, step_peer(s, x->id));
    }
}

const struct raft_witness *commit_learnt(const struct raft_node *n, uint64_t index)
{
    const struct raft_slot *slot = raft_node_slot((struct raft_node *)n, index);
    return n->leading && slot && slot->variant->term == n->leading ? count_completed(n, index)
                                                                   : book_committed(&n->book, index);
}

/* Whose acknowledgement it was, "" if it was none. */
static const char *acknowledger(struct step *s, const struct raft_witness *at)
{
    for (size_t i = 0; at && i < s->node->book.exchanges; i++) {
        const struct raft_exchange *x = &s->node->book.exchange[i];
        if (x->result_got.at.order == at->order)
            return step_peer(s, x->id);
    }
    return "";
}

static struct raft_break *commit_broken(struct step *s, enum raft_class class, uint64_t index)
{
    const struct raft_witness *at = count_completed(s->node, index);
    struct raft_break *b = break_add(s, class, RAFT_SPOILS_COMMIT, s->node->leading, index, "");
    if (b && at)
        b->at = *at;
    reasons_of_count(b, s, index, s->node->leading);
    return b;
}

/* An entry of the leader's own term on a majority protects all before it (section 5.4.2). */
static void heal_earlier_term(struct step *s, uint64_t index)
{
    struct raft_break *b;
    while ((b = break_open(s, RAFT_T07, RAFT_SPOILS_COMMIT, "")) != NULL && b->index <= index)
        b->healed = step_witness(s, RAFT_HOW_COMMITTED, true);
}

/* The majority came after all: what was committed without it is committed now. */
static void heal_minority(struct step *s, uint64_t index)
{
    static const enum raft_class classes[] = {RAFT_T05, RAFT_T09, RAFT_T12, RAFT_T19};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct raft_break *b;
        while ((b = break_open(s, classes[i], RAFT_SPOILS_COMMIT, "")) != NULL && b->index <= index &&
               b->term == s->node->leading)
            b->healed = step_witness(s, RAFT_HOW_COMMITTED, true);
    }
}

/* T07: an entry of an earlier term, with no entry of the leader's own term on a majority, whatever was counted. */
static bool check_earlier_term(struct step *s, uint64_t index, bool majority)
{
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    if (!slot || slot->variant->term >= s->node->leading)
        return false;
    struct raft_break *b = commit_broken(s, RAFT_T07, index);
    const char *by = majority ? acknowledger(s, count_completed(s->node, index)) : "";
    break_text(b, majority ? "counted" : "alone", "%s, leader of term %" PRIu64 ", committed index %" PRIu64 " of term %"
               PRIu64 " %s%s%s; no entry of its own term is on a majority", s->node->name, s->node->leading, index,
               slot->variant->term, majority ? "by counting replicas" : "without counting", by[0] ? ", the last that of " :
               "", by);
    if (b && !majority)
        b->at = step_witness(s, RAFT_HOW_COMMITTED, true); /* no acknowledgement led to it */
    return true;
}

/* T19: a majority, but of another configuration than the latest in its log. T16: that came with a snapshot. */
static void check_members(struct step *s, uint64_t index, const struct raft_members *force, const struct raft_members *other)
{
    bool installed = force->installed && other->index < force->index;
    struct raft_break *b = commit_broken(s, installed ? RAFT_T16 : RAFT_T19, index);
    if (b && installed)
        b->at = force->at;
    if (installed)
        break_text(b, "snapshot", "%s did not take over the configuration of index %" PRIu64
                   " with the snapshot it was sent: it committed index %" PRIu64 " by that of index %" PRIu64, s->node->name,
                   force->index, index, other->index);
    else if (other == force)
        break_text(b, "joint", "%s, leader of term %" PRIu64 ", committed index %" PRIu64
                   " with a majority of one side of a joint configuration", s->node->name, s->node->leading, index);
    else
        break_text(b, "earlier", "%s, leader of term %" PRIu64 ", committed index %" PRIu64
                   " by the configuration of index %" PRIu64 ", not by the latest in its log, of index %" PRIu64,
                   s->node->name, s->node->leading, index, other->index, force->index);
}

/* The peer whose acknowledgement came last, if it named less than was committed on it, of all that it had been sent, and
 * makes a majority if it is taken for all of that. */
static const struct raft_exchange *acknowledged_less(struct step *s, uint64_t index, struct count c)
{
    bool known;
    const struct raft_exchange *last = NULL;
    for (size_t i = 0; i < s->node->book.exchanges; i++) {
        const struct raft_exchange *x = &s->node->book.exchange[i];
        if (x->result_got.at.how != RAFT_HOW_NONE && (!last || x->result_got.at.order > last->result_got.at.order))
            last = x;
    }
    bool less = last && last->result_got.success && last->result_got.index < index &&
                last->append_sent.index + last->append_sent.count >= index;
    c.also = less ? last->id : NULL;
    return less && counted(s, &c, &known) ? last : NULL;
}

static struct raft_break *check_less(struct step *s, uint64_t index, const struct raft_exchange *x)
{
    struct raft_break *b = commit_broken(s, RAFT_T12, index);
    break_text(b, "less", "%s, leader of term %" PRIu64 ", committed index %" PRIu64 " when %s acknowledged index %" PRIu64
               " of what it had been sent", s->node->name, s->node->leading, index, step_peer(s, x->id),
               x->result_got.index);
    if (b)
        b->at = x->result_got.at;
    return b;
}

static void check_majority(struct step *s, uint64_t index)
{
    struct count c = {.node = s->node, .index = index, .term = s->node->leading, .self = true};
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    bool known;
    if (!s->node->book.exchanges) /* acknowledgements are not seen: marks alone say nothing of who waited for whom */
        return;
    if (counted(s, &c, &known)) {
        c.self = !s->node->disk || !slot || slot->durable;
        if (counted(s, &c, &known)) {
            const struct raft_slot *last = raft_node_slot(s->node, index);
            heal_minority(s, index);
            if (!check_earlier_term(s, index, true) && last && last->variant->term == s->node->leading)
                heal_earlier_term(s, index);
            return;
        }
        struct raft_break *b = commit_broken(s, RAFT_T05, index);
        break_text(b, "own-copy", "%s, leader of term %" PRIu64 ", counted its own copy of index %" PRIu64
                   " before it was on stable storage", s->node->name, s->node->leading, index);
        return;
    }
    if (check_earlier_term(s, index, false))
        return;
    const struct raft_members *force = members_at(&s->node->book, s->node->last), *other;
    other = force ? members_other(&s->node->book, force, acknowledged, &c) : NULL;
    if (other) {
        check_members(s, index, force, other);
        return;
    }
    c.stale = true;
    bool stale = counted(s, &c, &known);
    c.stale = false;
    const struct raft_exchange *less = stale ? NULL : acknowledged_less(s, index, c);
    struct raft_break *b = less ? check_less(s, index, less) : commit_broken(s, stale ? RAFT_T12 : RAFT_T09, index);
    if (!less)
        break_text(b, stale ? "stale" : "minority", stale ? "%s, leader of term %" PRIu64 ", committed index %" PRIu64
                   " on acknowledgements of an earlier term" : "%s, leader of term %" PRIu64 ", committed index %" PRIu64
                   " without acknowledgements of a majority", s->node->name, s->node->leading, index);
    if (!known)
        break_likely(b, "the configuration of the cluster was not seen: all servers heard of were taken for voting members");
}

/* --- the follower --- */

static void check_follower(struct step *s, uint64_t index)
{
    const struct raft_book *book = &s->node->book;
    if (book->heard.at.how == RAFT_HOW_NONE) /* messages not seen, or committed by what it remembers */
        return;
    struct raft_break *b = break_add(s, RAFT_T08, RAFT_SPOILS_COMMIT, s->node->term, index, "");
    if (!b)
        return;
    break_text(b, "beyond", "%s committed up to index %" PRIu64 "; what its leader sent allows %" PRIu64, s->node->name,
               index, book->may_commit);
    break_reason(b, &book->verified,
                 "may commit up to index %" PRIu64 ": the smaller of leaderCommit and the last entry verified",
                 book->may_commit);
    const struct raft_letter *l =
        book->unverified.at.how != RAFT_HOW_NONE && book->unverified.commit >= index ? &book->unverified : &book->heard;
    break_reason(b, &l->at, "gets AppendEntries: prevLogIndex %" PRIu64 ", %" PRIu64 " entries, leaderCommit %" PRIu64,
                 l->index, l->count, l->commit);
    if (l->at.order >= book->verified.order) /* of one message it may have believed more than it verified */
        b->at = l->at;
}

/* --- both --- */

static uint64_t known_commit(const struct raft_node *n)
{
    uint64_t known = n->commit > n->book.may_commit ? n->commit : n->book.may_commit;
    return known ? known : 1; /* the first entry is what clusters are made with: there on all nodes from the start */
}

/* What it read at once may hold a higher term behind the acknowledgement that it looks at: where it states its role, that tells. */
static bool states_that_it_leads(const struct raft_node *n)
{
    return n->leading && n->role == 2 && n->role_term == n->leading;
}

/* Called when the model knows the fact: a leader may show by it that it leads. */
static void check_commit(struct step *s, uint64_t known)
{
    uint64_t index = commit_shown(s->fact);
    const struct raft_node *n = s->node;
    bool leader = node_leads(n) || states_that_it_leads(n) || (s->fact->kind == RAFT_FACT_SENT && n->leading && s->fact->message->term == n->leading);
    if (index <= known)
        return;
    if (leader)
        check_majority(s, index);
    else if (s->fact->kind != RAFT_FACT_SENT) /* a client's answer may be handed on from the leader */
        check_follower(s, index);
}

/* The first AppendEntries whose leaderCommit was below what the node had stated. */
struct lower {
    uint64_t commit;
    struct raft_witness at;
};

/* What the node may have known to be committed before the fact at hand. */
struct commits {
    struct each lower; /* struct lower */
    uint64_t known;
};

static void lower_heard(struct step *s, struct commits *c)
{
    const struct raft_message *m = s->fact->message;
    bool heard = s->fact->kind == RAFT_FACT_RECEIVED && m->type == RAFT_APPEND_ENTRIES;
    struct lower *lower = heard || s->fact->kind == RAFT_FACT_COMMIT ? each_of(s, &c->lower, sizeof *lower) : NULL;
    if (!lower)
        return;
    if (!heard || m->commit >= s->node->stated_commit[0])
        lower->at.how = RAFT_HOW_NONE;
    else if (lower->at.how == RAFT_HOW_NONE || lower->commit != m->commit)
        *lower = (struct lower){m->commit, step_witness(s, RAFT_HOW_HEARD, true)};
}

/* What a node states it may have believed for a while: since it heard it. */
static void check_lowered(struct step *s, const struct commits *c)
{
    const struct raft_fact *f = s->fact;
    bool disk = f->written || f->durable;
    const struct lower *lower = disk ? NULL : each_at(&c->lower, (size_t)(s->node - s->model->node));
    if (f->kind != RAFT_FACT_COMMIT || f->loaded || f->again || f->index >= s->node->stated_commit[disk])
        return;
    struct raft_break *b = break_add(s, RAFT_T08, RAFT_SPOILS_COMMIT, s->node->term, f->index, "lowered");
    break_text(b, "lowered", "%s lowered its commit index from %" PRIu64 " to %" PRIu64, s->node->name,
               s->node->stated_commit[disk], f->index);
    if (b && lower && lower->at.how != RAFT_HOW_NONE && lower->commit == f->index)
        b->at = lower->at;
}

/* --- nextIndex and matchIndex (T13) --- */

/* Refused since: then nextIndex goes down (Figure 2, Leaders), how far it does not say. A refusal that the acknowledgement
 * has overtaken says nothing. */
static bool refused_since(const struct raft_exchange *x)
{
    const struct raft_letter *r = &x->refused, *a = &x->acknowledged;
    bool overtaken = r->sent && a->sent && r->sent < a->sent;
    return r->at.how != RAFT_HOW_NONE && r->at.order > a->at.order && !overtaken;
}

/* The message was made before the acknowledgement was known: it waited in a queue while the leader went on to commit, or the
 * acknowledgement was read in one go with what it answers. Who takes in what it read one message at a time may turn to
 * others in between: while nothing new is read from the peer, what was ahead of the acknowledgement may still be at its
 * turn. */
static bool made_before(const struct step *s, const struct raft_exchange *x)
{
    const struct raft_letter *read = &s->node->book.trigger, *a = &x->acknowledged;
    return s->fact->message->commit < s->node->commit || read->at.sequence == a->at.sequence ||
           (a->ahead && x->result_got.at.sequence == a->at.sequence);
}

/* One of several that go to the peer in one go, all of them behind: a queue that waited for the connection. */
static bool is_queued(const struct step *s, const struct raft_exchange *x)
{
    const struct raft_letter *last = &x->append_sent;
    return last->at.how != RAFT_HOW_NONE && last->at.order > s->node->book.trigger.at.order &&
           last->at.order > x->acknowledged.at.order && last->index < x->acknowledged.index;
}

static void check_next(struct step *s)
{
    const struct raft_message *m = s->fact->message;
    if (s->fact->kind != RAFT_FACT_SENT || m->type != RAFT_APPEND_ENTRIES)
        return;
    const struct raft_exchange *x = book_find(&s->node->book, m->to);
    if (!x || x->acknowledged.term != m->term || m->prev_index >= x->acknowledged.index || refused_since(x) ||
        made_before(s, x) || is_queued(s, x))
        return;
    struct raft_break *b = break_add(s, RAFT_T13, RAFT_SPOILS_NOTHING, m->term, m->prev_index + 1, m->to);
    break_text(b, "next", "%s sent %s entries from index %" PRIu64 " on, which had acknowledged up to %" PRIu64 " in term %"
               PRIu64, s->node->name, step_peer(s, m->to), m->prev_index + 1, x->acknowledged.index, m->term);
    break_reason(b, &x->acknowledged.at, "gets the acknowledgement of index %" PRIu64 " from %s", x->acknowledged.index,
                 step_peer(s, m->to));
}

static void before(struct step *s, void *state)
{
    struct commits *c = state;
    c->known = known_commit(s->node);
    if (s->fact->again || s->fact->loaded)
        return;
    check_lowered(s, c);
    lower_heard(s, c);
    check_next(s);
}

static void after(struct step *s, void *state)
{
    const struct commits *c = state;
    if (!s->fact->again && !s->fact->loaded)
        check_commit(s, c->known);
}

static void restart(struct step *s, void *state)
{
    struct commits *c = state;
    struct lower *lower = each_at(&c->lower, (size_t)(s->node - s->model->node));
    if (lower)
        lower->at.how = RAFT_HOW_NONE;
}

const struct raft_rules rules_commit = {
    .name = "commit", .size = sizeof(struct commits), .each = sizeof(struct lower), .before = before, .after = after,
    .restart = restart,
};
