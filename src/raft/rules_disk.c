/* What must be on stable storage before a node says so: T03, T05, T15, and a log file that takes the place of another (T14,
 * T16). Restarts are in rules_restart.c.
 *
 * A node's files show what it wrote, when that became durable, and what it read back. Where no file of a node is understood
 * nothing is said about it, but for what its own messages contradict: a term that goes down, a vote given twice. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "raft/rules_disk.h"

/* Entries at the end of a log that are looked at each time: all of those that may be on their way to the disk. */
#define LOOKED_BACK 4096

/* ns: what a node writes so soon after a message, it writes because of it. An election timer that runs out just then is
 * rare, and what rests on it is only likely. */
#define AT_ONCE 20000000

static struct disk *disk_of(struct step *s, struct each *all)
{
    return each_of(s, all, sizeof(struct disk));
}

static void ballot_set(struct ballot *b, uint64_t term, const char *vote, const struct raft_witness *at)
{
    if (term < b->term)
        return;
    if (term > b->term || vote[0])
        snprintf(b->vote, sizeof b->vote, "%s", vote);
    b->term = term;
    b->at = *at;
}

/* A file holds what was written to it last. */
static void ballot_put(struct ballot *b, uint64_t term, const char *vote, const struct raft_witness *at)
{
    if (term < b->term)
        *b = (struct ballot){0};
    ballot_set(b, term, vote, at);
}

static void heal_term(struct step *s, const struct disk *d)
{
    struct raft_break *b = break_open(s, RAFT_T15, RAFT_SPOILS_TERM, "volatile");
    if (b && b->term <= d->durable.term && b->at.process == s->fact->process) /* a restart in between forgot it */
        b->healed = step_witness(s, RAFT_HOW_WRITTEN, true);
}

/* --- acknowledged before durable (T05), asked for votes before durable (T03) --- */

/* The lowest entry up to `index` of the node's log that is not on its disk; 0 if all are. */
static uint64_t not_durable(struct raft_node *n, uint64_t index)
{
    uint64_t floor = n->base > n->snapshot ? n->base : n->snapshot, known = n->last > floor ? n->last : floor;
    uint64_t lowest = index > known ? known + 1 : 0, first = index > known ? known : index;
    for (uint64_t i = first; i > floor && first - i < LOOKED_BACK; i--) {
        const struct raft_slot *slot = raft_node_slot(n, i);
        if (slot && slot->durable)
            break;
        lowest = i;
    }
    return lowest;
}

static const struct raft_incident *write_failed(const struct step *s)
{
    for (size_t i = s->model->incidents; i-- > 0;) {
        const struct raft_incident *incident = &s->model->incident[i];
        if (incident->kind == RAFT_FACT_WRITE_FAILED && incident->at.process == s->fact->process)
            return incident;
    }
    return NULL;
}

static void reasons_of_write(struct step *s, struct raft_break *b, uint64_t index)
{
    const struct raft_incident *failed = write_failed(s);
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    const struct raft_letter *heard = &s->node->book.heard;
    if (heard->at.how != RAFT_HOW_NONE && heard->count == 1 && heard->index + 1 == index)
        break_reason(b, &heard->at, "gets AppendEntries with index %" PRIu64 " of term %" PRIu64, index, heard->term);
    else if (heard->at.how != RAFT_HOW_NONE && heard->index + heard->count >= index)
        break_reason(b, &heard->at, "gets AppendEntries with the entries %" PRIu64 " to %" PRIu64 " of term %" PRIu64,
                     heard->index + 1, heard->index + heard->count, heard->term);
    if (failed)
        break_reason(b, &failed->at, "%s", failed->text);
    else if (slot && slot->witness.how == RAFT_HOW_WRITTEN)
        break_reason(b, &slot->witness, "writes index %" PRIu64 " to its log, not to stable storage yet", index);
}

static void snapshot_not_durable(struct step *s, struct disk *d, const struct raft_message *m, uint64_t index)
{
    const struct raft_letter *heard = &s->node->book.heard;
    struct raft_break *b = break_add(s, RAFT_T05, RAFT_SPOILS_ACK, m->term, 1, "snapshot");
    d->compacted.index = 0;
    break_text(b, "snapshot", "%s acknowledged the snapshot up to index %" PRIu64 " to %s before it was on stable storage",
               s->node->name, index, step_peer(s, m->to));
    if (b && heard->at.how != RAFT_HOW_NONE && heard->snapshot)
        break_reason(b, &heard->at, "gets a snapshot up to index %" PRIu64 " of term %" PRIu64, heard->index,
                     heard->log_term);
}

static void check_append_result(struct step *s, struct disk *d, const struct raft_message *m)
{
    uint64_t index = m->match && s->node->disk ? not_durable(s->node, m->match) : 0;
    if (m->success && d->compacted.index && m->match >= d->compacted.index)
        snapshot_not_durable(s, d, m, d->compacted.index);
    if (!m->success || !index || (d->restarted && !d->read_log)) /* what it has from before is not known */
        return;
    if (restart_brought_back(s, d, m, index))
        return;
    struct raft_break *b = break_add(s, RAFT_T05, RAFT_SPOILS_ACK, m->term, index, m->to);
    if (m->match > d->acknowledged)
        d->acknowledged = m->match;
    break_text(b, "entries", "%s acknowledged index %" PRIu64 " to %s in term %" PRIu64 " before %s was on stable storage",
               s->node->name, m->match,
               step_peer(s, m->to), m->term, index == m->match ? "it" : "all of its log up to there");
    reasons_of_write(s, b, index);
}

static void check_snapshot_result(struct step *s, struct disk *d, const struct raft_message *m)
{
    const struct raft_slot *slot = raft_node_slot(s->node, m->match);
    if (!m->success || !m->match || !s->node->disk || d->snapshot >= m->match ||
        (slot && slot->durable && !d->compacted.index))
        return;
    snapshot_not_durable(s, d, m, m->match);
}

static void ballot_remember(struct disk *d, uint64_t term, const char *vote)
{
    if (!vote[0])
        return;
    if (d->ballots == BALLOTS_KEPT)
        memmove(d->history, d->history + 1, --d->ballots * sizeof d->history[0]);
    struct ballot *b = &d->history[d->ballots++];
    *b = (struct ballot){.term = term};
    snprintf(b->vote, sizeof b->vote, "%s", vote);
}

static bool vote_is_durable(const struct disk *d, uint64_t term, const char *candidate)
{
    for (size_t i = 0; i < d->ballots; i++) {
        if (d->history[i].term == term && strcmp(d->history[i].vote, candidate) == 0)
            return true;
    }
    return d->durable.term > term && d->ballots == BALLOTS_KEPT; /* so long ago that it may have been forgotten */
}

static void check_vote(struct step *s, struct disk *d, const struct raft_message *m)
{
    const char *candidate = m->vote[0] ? m->vote : m->to;
    if (!m->success || m->pre_vote || !(d->terms || d->votes) || !candidate[0] || vote_is_durable(d, m->term, candidate))
        return;
    struct raft_break *b = break_add(s, RAFT_T05, RAFT_SPOILS_ELECTION, m->term, 0, candidate);
    const struct raft_exchange *x = book_find(&s->node->book, candidate);
    break_text(b, "vote",
               "%s granted its vote in term %" PRIu64 " to %s before the vote was on stable storage", s->node->name,
               m->term, step_peer(s, candidate));
    if (x && x->vote_asked.at.how != RAFT_HOW_NONE)
        break_reason(b, &x->vote_asked.at, "is asked for its vote in term %" PRIu64 " by %s", x->vote_asked.term,
                     step_peer(s, candidate));
}

static void check_request_vote(struct step *s, struct disk *d, const struct raft_message *m)
{
    uint64_t index = s->node->disk ? not_durable(s->node, m->prev_index) : 0;
    if (m->pre_vote)
        return;
    if (index && restart_brought_back(s, d, m, index))
        return;
    if (index) {
        struct raft_break *b = break_add(s, RAFT_T03, RAFT_SPOILS_ELECTION, m->term, index, "");
        break_text(b, "log",
                   "%s asked for votes in term %" PRIu64 " with a log that ends at index %" PRIu64 "; index %" PRIu64
                   " is not on stable storage", s->node->name, m->term, m->prev_index, index);
        reasons_of_write(s, b, index);
    } else if (d->terms && d->durable.term < m->term) {
        struct raft_break *b = break_add(s, RAFT_T03, RAFT_SPOILS_ELECTION, m->term, 0, "term");
        break_text(b, "term",
                   "%s asked for votes in term %" PRIu64 "; the term on its stable storage is %" PRIu64, s->node->name,
                   m->term, d->durable.term);
    }
}

/* T15: the term that the node speaks in would be forgotten by a restart. */
static void check_term_durable(struct step *s, struct disk *d, const struct raft_message *m)
{
    if (!d->terms || m->term <= d->durable.term || m->term <= d->highest || m->type == RAFT_REQUEST_VOTE ||
        m->term < s->node->heard)
        return;
    struct raft_break *b = break_add(s, RAFT_T15, RAFT_SPOILS_TERM, m->term, 0, "volatile");
    break_text(b, "volatile", "%s took over term %" PRIu64 " and speaks in it; the term on its stable storage is %" PRIu64,
               s->node->name, m->term, d->durable.term);
    if (!b || d->heard.term != m->term)
        return;
    b->at = d->heard.at; /* where it should have written it */
}

/* T15: a file gets a lower term than the node is in. */
static void check_term_written(struct step *s, struct disk *d)
{
    const struct raft_fact *f = s->fact;
    if (f->kind != RAFT_FACT_TERM || f->loaded || !on_file(f) || f->again || f->term >= d->written.term)
        return;
    struct raft_break *b = break_add(s, RAFT_T15, RAFT_SPOILS_TERM, f->term, 0, "written");
    break_text(b, "written",
               "%s wrote term %" PRIu64 " to its file, in which term %" PRIu64 " had been", s->node->name, f->term,
               d->written.term);
    if (b)
        break_reason(b, &d->written.at, "writes term %" PRIu64, d->written.term);
}

/* T15: a vote written that nobody asked for in that term: the one of an earlier term was carried over. */
static void vote_carried(struct step *s, const struct ballot *v, const struct raft_witness *heard)
{
    bool own = strcmp(v->vote, s->node->id) == 0;
    struct raft_break *b = break_add(s, RAFT_T15, RAFT_SPOILS_TERM, v->term, 0, "carried");
    break_text(b, "carried",
               "%s wrote a vote for %s in term %" PRIu64 ", which nobody had asked for in that term", s->node->name,
               own ? "itself" : step_peer(s, v->vote), v->term);
    break_reason(b, heard, "hears of term %" PRIu64, v->term);
    if (b)
        b->at = v->at;
}

/* Who wrote a vote for itself and asks for votes now stands in the term: it may not have looked yet at what it had read. */
static void check_carried(struct step *s, struct disk *d, const struct raft_message *m)
{
    if (!d->carried.term || m->term < d->carried.term)
        return;
    if (m->term == d->carried.term && m->type != RAFT_REQUEST_VOTE)
        vote_carried(s, &d->carried, &d->carried_heard);
    d->carried.term = 0;
}

static void check_vote_written(struct step *s, struct disk *d)
{
    const struct raft_fact *f = s->fact;
    const struct raft_book *book = &s->node->book;
    const struct raft_exchange *x = book_find(book, f->peer);
    bool own = strcmp(f->peer, s->node->id) == 0,
         heard = book->trigger.at.how != RAFT_HOW_NONE && book->trigger.term == f->term && !book->trigger.pre_vote;
    bool asked = x && x->vote_asked.at.how != RAFT_HOW_NONE && x->vote_asked.term == f->term;
    if (f->kind != RAFT_FACT_VOTE || f->loaded || !on_file(f) || f->again || !f->peer[0] || !s->node->id[0])
        return;
    if (asked || (own ? !heard || book->candidate.term == f->term : !heard))
        return;
    /* A request may have been disregarded and the node stand now itself, in a term as high: then it did not vote for itself
     * before, or does so some time after the request. */
    bool carried = s->node->vote_term && s->node->vote_term < f->term && strcmp(s->node->vote, f->peer) == 0;
    if (own && (!carried || f->time > book->trigger.time + AT_ONCE))
        return;
    struct ballot v = {.term = f->term, .at = step_witness(s, RAFT_HOW_STATED, true)};
    memcpy(v.vote, f->peer, sizeof v.vote);
    if (own) {
        d->carried = v;
        d->carried_heard = book->trigger.at;
    } else {
        vote_carried(s, &v, &book->trigger.at);
    }
}

/* What an acknowledgement named is durable after all: from here on nothing comes of it. */
static void heal(struct step *s, struct disk *d)
{
    const struct raft_slot *slot = d->acknowledged ? raft_node_slot(s->node, d->acknowledged) : NULL;
    if (!slot || !slot->durable || not_durable(s->node, d->acknowledged))
        return;
    for (size_t i = 0; i < s->model->breaks; i++) {
        struct raft_break *b = &s->model->rule_break[i];
        if (b->at.process == s->fact->process && b->healed.how == RAFT_HOW_NONE &&
            (b->class == RAFT_T03 || b->spoils == RAFT_SPOILS_ACK) && b->index && b->index <= d->acknowledged)
            b->healed = step_witness(s, RAFT_HOW_WRITTEN, true);
    }
    d->acknowledged = 0;
}

/* --- a log file that takes the place of the one before (T14, T16) --- */

static bool was_sent_snapshot(const struct step *s, uint64_t index)
{
    const struct raft_letter *heard = &s->node->book.heard;
    return heard->at.how != RAFT_HOW_NONE && heard->snapshot && heard->index == index;
}

/* The last entry on stable storage after `last`; NULL: there is none. */
static const struct raft_slot *last_durable(struct raft_node *n, uint64_t last)
{
    for (uint64_t i = n->last; i > last && i > n->base; i--) {
        const struct raft_slot *slot = raft_node_slot(n, i);
        if (slot && slot->durable)
            return slot;
    }
    return NULL;
}

/* The new file lacks entries that were on stable storage, and that no snapshot stands for. */
static void check_rewritten_tail(struct step *s)
{
    const struct raft_fact *f = s->fact;
    const struct raft_slot *base = raft_node_slot(s->node, f->index), *lost = last_durable(s->node, f->entry.index);
    if (!lost || (f->index && (!base || base->variant->term != f->term)))
        return; /* the entry at the end of the snapshot was another: the log is discarded (Figure 13, receiver 7) */
    bool installed = was_sent_snapshot(s, f->index);
    struct raft_break *b = break_add(s, installed ? RAFT_T16 : RAFT_T14, RAFT_SPOILS_LOG, lost->variant->term,
                                     f->entry.index + 1, "rewritten");
    break_text(b, "replaced",
               "%s put a log file that ends at index %" PRIu64 " in the place of one that ended at index %" PRIu64,
               s->node->name, f->entry.index, lost->variant->index);
    if (b)
        break_reason(b, &lost->synced, "has index %" PRIu64 " of term %" PRIu64 " on stable storage", lost->variant->index,
                     lost->variant->term);
}

static void compacted_early(struct step *s, const struct disk *d, const struct place *base)
{
    struct raft_break *b = break_add(s, RAFT_T16, RAFT_SPOILS_LOG, base->term, d->snapshot + 1, "compacted");
    break_text(b, "compacted",
               "%s put a log file that begins after index %" PRIu64 " in place before a snapshot up to there was on"
               " stable storage",
               s->node->name, base->index);
    if (b)
        b->at = base->at;
}

/* What comes of it when the snapshot was sent by a leader shows by what the node does next: it acknowledges, or it dies. */
static void check_compacted(struct step *s, struct disk *d)
{
    const struct raft_fact *f = s->fact;
    struct place base = {f->index, f->term, step_witness(s, RAFT_HOW_WRITTEN, true)};
    if (f->index <= d->snapshot)
        return;
    if (was_sent_snapshot(s, f->index))
        d->compacted = base;
    else
        compacted_early(s, d, &base);
}

/* A snapshot is there: what rested on it cannot hurt any more. */
static void snapshot_durable(struct step *s, struct disk *d)
{
    struct raft_break *open[] = {
        break_open(s, RAFT_T16, RAFT_SPOILS_LOG, "compacted"), break_open(s, RAFT_T05, RAFT_SPOILS_ACK, "snapshot"),
    };
    d->snapshot = s->fact->index;
    if (d->compacted.index <= d->snapshot)
        d->compacted.index = 0;
    for (size_t i = 0; i < 2; i++) {
        if (open[i] && open[i]->at.process == s->fact->process)
            open[i]->healed = step_witness(s, RAFT_HOW_WRITTEN, true);
    }
}

/* --- the facts --- */

static bool own_term(const struct raft_message *m)
{
    return m->type && m->type < RAFT_OTHER && !m->pre_vote && m->term;
}

static void sent(struct step *s, struct disk *d)
{
    const struct raft_message *m = s->fact->message;
    const char *vote = "";
    restart_loaded(s, d);
    if (!own_term(m))
        return;
    restart_term(s, d, m->term);
    check_carried(s, d, m);
    if (m->type == RAFT_REQUEST_VOTE) {
        vote = m->from;
        check_request_vote(s, d, m);
        restart_announces(s, d, m);
    } else if (m->type == RAFT_REQUEST_VOTE_RESULT && m->success) {
        vote = m->vote[0] ? m->vote : m->to;
        check_vote(s, d, m);
    } else if (m->type == RAFT_APPEND_ENTRIES_RESULT) {
        check_append_result(s, d, m);
    } else if (m->type == RAFT_INSTALL_SNAPSHOT_RESULT) {
        check_snapshot_result(s, d, m);
    }
    restart_vote(s, d, m->term, vote);
    if (!break_open(s, RAFT_T05, RAFT_SPOILS_ELECTION, vote)) /* that the vote is missing says more */
        check_term_durable(s, d, m);
    struct raft_witness at = step_witness(s, RAFT_HOW_SENT, true);
    ballot_set(&d->shown, m->term, vote, &at);
}

static void term_heard_of(struct step *s, struct disk *d)
{
    const struct raft_message *m = s->fact->message;
    if (!own_term(m) || m->term <= d->heard.term || m->may_disregard)
        return;
    d->heard = (struct ballot){.term = m->term, .at = step_witness(s, RAFT_HOW_HEARD, true)};
}

static void stated(struct step *s, struct disk *d)
{
    const struct raft_fact *f = s->fact;
    struct raft_witness at = step_witness(s, RAFT_HOW_STATED, true);
    const char *vote = f->kind == RAFT_FACT_VOTE ? f->peer : "";
    if (on_file(f) || !f->loaded)
        restart_loaded(s, d);
    if (f->loaded || f->durable) {
        ballot_remember(d, f->term, vote);
        d->highest = f->term > d->highest ? f->term : d->highest;
    }
    if (f->loaded) {
        d->read_terms = true;
        ballot_set(&d->loaded, f->term, vote, &at);
        ballot_put(&d->written, f->term, vote, &at); /* what was written and not synced may have gone with the power */
        if (!d->restarted || f->term >= d->durable.term)
            ballot_set(&d->durable, f->term, vote, &at);
        return;
    }
    restart_term(s, d, f->term);
    restart_vote(s, d, f->term, vote);
    check_term_written(s, d);
    check_vote_written(s, d);
    if (on_file(f)) {
        d->terms = true;
        d->votes |= f->kind == RAFT_FACT_VOTE;
        if (!f->again)
            ballot_put(&d->written, f->term, vote, &at);
    }
    if (f->durable) {
        ballot_put(&d->durable, f->term, vote, &at);
        heal_term(s, d);
    }
    if (f->durable || !d->terms) /* where files hold terms, what is not durable may go with the power: nobody was told */
        ballot_set(&d->shown, f->term, vote, &at);
}

/* A log that shrinks as it goes on after a start is judged by what it said last; only what it wrote itself explains it. */
static void log_changes(struct step *s, struct disk *d)
{
    restart_loaded(s, d);
    d->rewritten = true;
}

static void received(struct step *s, struct disk *d)
{
    const struct raft_message *m = s->fact->message;
    uint64_t last = 0;
    restart_loaded(s, d);
    if (m->type == RAFT_INSTALL_SNAPSHOT)
        last = m->prev_index;
    else if (m->type == RAFT_APPEND_ENTRIES && m->entries)
        last = m->prev_index + m->entries;
    if (last > d->brought)
        d->brought = last;
}

static void log_fact(struct step *s, struct disk *d)
{
    const struct raft_fact *f = s->fact;
    restart_forgets(s, d);
    if (f->kind == RAFT_FACT_SNAPSHOT && (f->loaded || f->durable))
        snapshot_durable(s, d);
    if (f->loaded)
        restart_loads(s, d);
    else if (on_file(f))
        log_changes(s, d);
    else if (f->kind != RAFT_FACT_SNAPSHOT) /* a mark; one of a snapshot may come while the node still reads its files */
        d->rewritten = true;
}

static void before(struct step *s, void *state)
{
    struct disk *d = disk_of(s, state);
    const struct raft_fact *f = s->fact;
    if (!d)
        return;
    if (d->start.how == RAFT_HOW_NONE)
        d->start = step_witness(s, RAFT_HOW_STATED, true);
    if (f->loaded)
        d->loaded_at = step_witness(s, RAFT_HOW_LOADED, true);
    switch (f->kind) {
    case RAFT_FACT_SENT:
        sent(s, d);
        break;
    case RAFT_FACT_RECEIVED:
        received(s, d);
        term_heard_of(s, d);
        break;
    case RAFT_FACT_TERM: case RAFT_FACT_VOTE:
        stated(s, d);
        break;
    case RAFT_FACT_APPEND: case RAFT_FACT_SNAPSHOT: case RAFT_FACT_TRUNCATE:
        log_fact(s, d);
        break;
    case RAFT_FACT_REWRITTEN:
        log_changes(s, d);
        check_rewritten_tail(s);
        check_compacted(s, d);
        break;
    default:
        break;
    }
}

static void after(struct step *s, void *state)
{
    struct disk *d = disk_of(s, state);
    if (d && d->acknowledged && s->fact->durable)
        heal(s, d);
}

static void restart(struct step *s, void *state)
{
    struct disk *d = disk_of(s, state);
    if (!d)
        return;
    if (d->compacted.index)
        compacted_early(s, d, &d->compacted);
    restart_begins(s->node, d);
}

const struct raft_rules rules_disk = {
    .name = "disk", .size = sizeof(struct each), .each = sizeof(struct disk), .before = before, .after = after,
    .restart = restart,
};
