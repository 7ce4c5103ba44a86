/* What must be on stable storage before a node says so, and be there after a restart: T03, T05, T14, T15, T25.
 *
 * A node's files show what it wrote, when that became durable, and what it read back. Where no file of a node is understood
 * nothing is said about it, but for what its own messages contradict: a term that goes down, a vote given twice. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

/* A term and the vote in it. */
struct ballot {
    uint64_t term;
    char vote[RAFT_NODE_NAME]; /* "" none */
    struct raft_witness at;    /* how is RAFT_HOW_NONE: not seen */
};

/* Votes that were durable, latest last: a result may have waited in a queue while the node went on to later terms. */
#define BALLOTS_KEPT 16
/* Entries at the end of a log that are looked at each time: all of those that may be on their way to the disk. */
#define LOOKED_BACK 4096

/* ns: what a node writes so soon after a message, it writes because of it. An election timer that runs out just then is rare,
 * and what rests on it is only likely. */
#define AT_ONCE 20000000

struct place {
    uint64_t index, term;
    struct raft_witness at;
};

/* What the files of a node hold, and what they held before it started again. */
struct disk {
    bool terms, votes;         /* files with terms, with votes were seen: what is not there is not durable */
    struct ballot durable;
    struct ballot written;     /* the same, as written last */
    uint64_t highest;          /* term that was ever on stable storage */
    struct ballot heard;       /* the first message of the highest term that it heard of */
    struct ballot history[BALLOTS_KEPT];
    size_t ballots;
    struct ballot shown;       /* the highest term the node showed as its own, in any way, and its vote in it */
    /* Since the latest start: */
    bool restarted, loading;   /* loading: nothing was said or written yet */
    bool read_terms, read_log; /* it read such files back */
    struct ballot before;      /* `durable` when it started */
    struct ballot said;        /* `shown` when it started */
    struct ballot loaded;
    struct place last_before;  /* durable end of its log when it started; index 0: none known */
    struct place known_before; /* end of its log, durable or not */
    struct place last_loaded;
    uint64_t snapshot_loaded;
    bool rewritten;            /* it wrote entries or truncated since */
    struct ballot carried;     /* a vote for itself that may be the one of an earlier term; term 0: none */
    struct raft_witness carried_heard;
    struct raft_witness start; /* first fact of this incarnation */
    struct raft_witness loaded_at; /* the last fact that it read back */
    uint64_t brought;          /* highest index of the entries it was sent since */
    uint64_t snapshot;         /* last index of the latest snapshot on its disk */
    struct place compacted;    /* its log begins after this index, by a snapshot it was sent that is not on its disk */
    uint64_t acknowledged;     /* highest index of an open T05 */
};

static struct disk *disk_of(struct step *s, struct each *all)
{
    return each_of(s, all, sizeof(struct disk));
}

static bool on_file(const struct raft_fact *f)
{
    return f->written || f->durable;
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

/* The log ends beyond what the node read back and was sent since: entries that it had deleted. By their old terms at its
 * end it votes for candidates that lack any of the others: so all of its log is in doubt. */
static bool check_brought_back(struct step *s, const struct disk *d, const struct raft_message *m, uint64_t index)
{
    const struct place *last = &d->last_loaded;
    if (!d->read_log || index <= last->index || index <= d->brought || index <= d->snapshot_loaded || s->node->leading)
        return false;
    struct raft_break *b = break_add(s, RAFT_T14, RAFT_SPOILS_LOG, m->term, 1, "resurrected");
    break_text(b, "resurrected",
               "%s, started again, has index %" PRIu64 " in its log; what it read back ends at index %" PRIu64
               ", and nobody sent it that entry since", s->node->name, index, last->index);
    break_reason(b, &d->start, "is started again");
    if (b) {
        struct raft_witness said = b->at;
        b->at = d->loaded_at;
        break_reason(b, &said, "names index %" PRIu64 " in term %" PRIu64, index, m->term);
    }
    return true;
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
    if (check_brought_back(s, d, m, index))
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
    if (index && check_brought_back(s, d, m, index))
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
    if (!d->terms || m->term <= d->durable.term || m->term <= d->highest || m->type == RAFT_REQUEST_VOTE || m->term < s->node->heard)
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
    bool own = strcmp(f->peer, s->node->id) == 0, heard = book->trigger.at.how != RAFT_HOW_NONE && book->trigger.term == f->term &&
                                                          !book->trigger.pre_vote;
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

/* --- after a restart (T14, T15, T25) --- */

static void before_crash(struct step *s, struct raft_break *b, const struct disk *d)
{
    (void)s;
    break_reason(b, &d->start, "is started again");
}

/* The bytes that it read back do not hold what was durable: something else changed its files. */
static void check_loaded(struct step *s, struct disk *d)
{
    if (d->read_log && d->last_before.index > d->last_loaded.index && d->last_before.index > d->snapshot_loaded) {
        struct raft_break *b = break_add(s, RAFT_T25, RAFT_SPOILS_LOG, d->last_before.term, d->last_loaded.index + 1, "");
        break_text(b, "log", "the files that %s read back end at index %" PRIu64 "; index %" PRIu64 " of term %" PRIu64
                   " had been on stable storage: they were changed from outside, or the disk lost it", s->node->name,
                   d->last_loaded.index, d->last_before.index, d->last_before.term);
        break_reason(b, &d->last_before.at, "has index %" PRIu64 " of term %" PRIu64 " on stable storage",
                     d->last_before.index, d->last_before.term);
        before_crash(s, b, d);
        if (b)
            b->at = d->last_loaded.at.how != RAFT_HOW_NONE ? d->last_loaded.at : d->start;
    }
    if (d->read_terms && d->before.term > d->loaded.term) {
        struct raft_break *b = break_add(s, RAFT_T25, RAFT_SPOILS_TERM, d->loaded.term, 0, "");
        break_text(b, "term", "the files that %s read back say term %" PRIu64 "; term %" PRIu64
                   " had been on stable storage: they were changed from outside, or the disk lost it", s->node->name,
                   d->loaded.term, d->before.term);
        break_reason(b, &d->before.at, "has term %" PRIu64 " on stable storage", d->before.term);
        before_crash(s, b, d);
        if (b)
            b->at = d->loaded.at.how != RAFT_HOW_NONE ? d->loaded.at : d->start;
    }
}

/* It remembers entries that it had deleted. What is only more than was known of may have been on its way to the disk when it
 * was killed. */
static void check_resurrected(struct step *s, struct disk *d)
{
    const struct raft_slot *back = raft_node_slot(s->node, d->known_before.index + 1);
    bool deleted = back && back->variant->replaced.how != RAFT_HOW_NONE &&
                   back->variant->replaced.node == (uint16_t)(s->node - s->model->node);
    if (!d->read_log || !d->known_before.index || d->last_loaded.index <= d->known_before.index || !deleted)
        return;
    struct raft_break *b = break_add(s, RAFT_T14, RAFT_SPOILS_LOG, d->last_loaded.term, d->known_before.index + 1,
                                     "resurrected");
    break_text(b, "returned",
               "%s, started again, has entries up to index %" PRIu64 " back; its log had ended at index %" PRIu64,
               s->node->name, d->last_loaded.index, d->known_before.index);
    break_reason(b, &d->known_before.at, "has a log that ends at index %" PRIu64, d->known_before.index);
    before_crash(s, b, d);
}

static void loading_ends(struct step *s, struct disk *d)
{
    if (!d->loading)
        return;
    d->loading = false;
    if (!d->restarted)
        return;
    check_loaded(s, d);
    check_resurrected(s, d);
}

/* It read them back, and deletes them before anybody has sent it anything. */
static void check_forgotten(struct step *s, const struct disk *d)
{
    const struct raft_fact *f = s->fact;
    const struct place *last = &d->last_loaded;
    if (f->kind != RAFT_FACT_TRUNCATE || !on_file(f) || f->again || d->rewritten || !d->read_log ||
        last->index <= f->index ||
        last->index <= d->snapshot_loaded || s->node->book.heard.at.how != RAFT_HOW_NONE || s->node->leading)
        return;
    struct raft_break *b = break_add(s, RAFT_T14, RAFT_SPOILS_LOG, last->term, f->index + 1, "");
    break_text(b, "deleted",
               "%s, started again, deleted its log from index %" PRIu64 " on; its file held it up to index %" PRIu64,
               s->node->name, f->index + 1, last->index);
    break_reason(b, &d->start, "is started again");
    break_reason(b, &last->at, "reads back index %" PRIu64 " of term %" PRIu64, last->index, last->term);
}

/* The log that it announces is shorter than the one it had. */
static void check_announced(struct step *s, struct disk *d, const struct raft_message *m)
{
    bool read = d->read_log && d->last_loaded.index >= d->last_before.index;
    const struct place *had = read ? &d->last_loaded : &d->last_before;
    bool less = m->prev_index < had->index || (m->prev_index == had->index && m->prev_term < had->term);
    if (!(d->restarted || read) || !had->index || !less || had->index <= s->node->snapshot || d->rewritten)
        return;
    if (d->read_log && m->prev_index >= d->last_loaded.index && m->prev_term >= d->last_loaded.term)
        return; /* what it read back: that this is less than it had is not its doing (T25) */
    struct raft_break *b = break_add(s, RAFT_T14, RAFT_SPOILS_LOG, m->term, m->prev_index + 1, "");
    break_text(b, "shorter",
               "%s, started again, names index %" PRIu64 " of term %" PRIu64 " as the end of its log; index %" PRIu64
               " of term %" PRIu64
               " was on its stable storage before", s->node->name, m->prev_index, m->prev_term, had->index, had->term);
    if (!read)
        break_reason(b, &had->at, "has index %" PRIu64 " of term %" PRIu64 " on stable storage", had->index, had->term);
    before_crash(s, b, d);
    if (!d->read_log)
        break_likely(b, "the files that it read back were not seen: they may have been gone already");
    if (b && read) { /* what it read was right: it went wrong when it began, and shows now */
        struct raft_witness said = b->at;
        b->at = d->loaded_at;
        break_reason(b, &said, "names index %" PRIu64 " of term %" PRIu64 " as the end of its log", m->prev_index,
                     m->prev_term);
    }
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

/* A term that it says or writes is lower than one it had. */
static void check_term(struct step *s, struct disk *d, uint64_t term)
{
    const struct ballot *had = d->before.term > d->said.term ? &d->before : &d->said;
    bool read = d->read_terms && d->loaded.term >= had->term;
    bool lost = d->read_terms && d->before.term == had->term && d->loaded.term < had->term; /* not its doing (T25) */
    if (!d->restarted || !term || term >= had->term)
        return;
    struct raft_break *b = lost ? NULL : break_add(s, RAFT_T15, RAFT_SPOILS_TERM, term, 0, "");
    break_text(b, "term",
               "%s, started again, is in term %" PRIu64 "; it had been in term %" PRIu64 "%s", s->node->name, term,
               had->term, read ? ", which its file told it" : "");
    break_reason(b, &had->at, "is in term %" PRIu64, had->term);
    raft_properties_check(s->model, &(struct raft_change){.kind = RAFT_CHANGE_TERM, .cluster = s->node->cluster,
                                                          .witness = step_witness(s, RAFT_HOW_SENT, true),
                                                          .before = had->term, .now = term});
    before_crash(s, b, d);
    if (b && read) {
        struct raft_witness shows = b->at;
        b->at = d->loaded_at;
        break_reason(b, &shows, "is in term %" PRIu64, term);
    }
    d->said.term = d->before.term = 0; /* said once */
}

/* A second vote in a term, after the first was given before the restart. */
static void check_vote_kept(struct step *s, struct disk *d, uint64_t term, const char *candidate)
{
    const struct ballot *had = &d->said;
    if (!d->restarted || !candidate[0] || term != had->term || !had->vote[0] || strcmp(had->vote, candidate) == 0)
        return;
    struct raft_break *b = break_add(s, RAFT_T15, RAFT_SPOILS_ELECTION, term, 0, candidate);
    break_text(b, "vote", "%s, started again, voted for %s in term %" PRIu64 "; it had voted for %s in it", s->node->name,
               step_peer(s, candidate), term, step_peer(s, had->vote));
    break_reason(b, &had->at, "votes for %s in term %" PRIu64, step_peer(s, had->vote), term);
    before_crash(s, b, d);
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
    loading_ends(s, d);
    if (!own_term(m))
        return;
    check_term(s, d, m->term);
    check_carried(s, d, m);
    if (m->type == RAFT_REQUEST_VOTE) {
        vote = m->from;
        check_request_vote(s, d, m);
        check_announced(s, d, m);
    } else if (m->type == RAFT_REQUEST_VOTE_RESULT && m->success) {
        vote = m->vote[0] ? m->vote : m->to;
        check_vote(s, d, m);
    } else if (m->type == RAFT_APPEND_ENTRIES_RESULT) {
        check_append_result(s, d, m);
    } else if (m->type == RAFT_INSTALL_SNAPSHOT_RESULT) {
        check_snapshot_result(s, d, m);
    }
    check_vote_kept(s, d, m->term, vote);
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
        loading_ends(s, d);
    if (f->loaded || f->durable) {
        ballot_remember(d, f->term, vote);
        d->highest = f->term > d->highest ? f->term : d->highest;
    }
    if (f->loaded) {
        d->read_terms = true;
        ballot_set(&d->loaded, f->term, vote, &at);
        if (!d->restarted || f->term >= d->durable.term)
            ballot_set(&d->durable, f->term, vote, &at);
        return;
    }
    check_term(s, d, f->term);
    check_vote_kept(s, d, f->term, vote);
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
    ballot_set(&d->shown, f->term, vote, &at);
}

static void log_loaded(struct step *s, struct disk *d)
{
    const struct raft_fact *f = s->fact;
    d->read_log = true;
    if (f->kind == RAFT_FACT_SNAPSHOT && f->index > d->snapshot_loaded)
        d->snapshot_loaded = f->index;
    if (f->kind == RAFT_FACT_APPEND)
        d->last_loaded = (struct place){f->entry.index, f->entry.term, step_witness(s, RAFT_HOW_LOADED, true)};
    const struct raft_slot *slot = raft_node_slot(s->node, f->index);
    if (f->kind == RAFT_FACT_TRUNCATE && f->index < d->last_loaded.index)
        d->last_loaded = (struct place){f->index, slot ? slot->variant->term : 0, step_witness(s, RAFT_HOW_LOADED, true)};
}

/* A log that shrinks as it goes on after a start is judged by what it said last; only what it wrote itself explains it. */
static void log_changes(struct step *s, struct disk *d)
{
    loading_ends(s, d);
    d->rewritten = true;
}

static void received(struct step *s, struct disk *d)
{
    const struct raft_message *m = s->fact->message;
    uint64_t last = 0;
    loading_ends(s, d);
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
    check_forgotten(s, d);
    if (f->kind == RAFT_FACT_SNAPSHOT && (f->loaded || f->durable))
        snapshot_durable(s, d);
    if (f->loaded)
        log_loaded(s, d);
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

/* Up to where its files may hold more than was seen: entries that it was writing when it died. 0: a leader may have begun to
 * write anything. */
static uint64_t end_in_flight(const struct raft_node *n)
{
    uint64_t end = node_leads(n) ? 0 : n->last;
    for (size_t i = 0; i < n->pending_count && end; i++) {
        const struct raft_pending *p = &n->pending[i];
        if (p->previous + p->count > end)
            end = p->previous + p->count;
    }
    return end;
}

/* Ends of the log: of what is durable, and of all. */
static void ends_of_log(struct raft_node *n, struct disk *d)
{
    d->last_before = d->known_before = (struct place){0};
    const struct raft_slot *last = raft_node_slot(n, n->last);
    if (last && n->disk)
        d->known_before = (struct place){end_in_flight(n), last->variant->term, last->witness};
    for (uint64_t i = n->last; n->disk && i > n->base; i--) {
        const struct raft_slot *slot = raft_node_slot(n, i);
        if (!slot || !slot->durable)
            continue;
        d->last_before = (struct place){i, slot->variant->term, slot->synced};
        return;
    }
}

static void restart(struct step *s, void *state)
{
    struct disk *d = disk_of(s, state);
    if (!d)
        return;
    struct ballot durable = d->durable, written = d->written, shown = d->shown, history[BALLOTS_KEPT];
    memcpy(history, d->history, sizeof history);
    if (d->compacted.index)
        compacted_early(s, d, &d->compacted);
    ends_of_log(s->node, d);
    *d = (struct disk){
        .terms = d->terms, .votes = d->votes, .ballots = d->ballots, .durable = durable, .written = written, .shown = shown,
        .before = durable, .said = shown,
        .restarted = true, .loading = true, .last_before = d->last_before, .known_before = d->known_before,
        .snapshot = d->snapshot,
    };
    memcpy(d->history, history, sizeof history);
}

static void fini(void *state)
{
    each_fini(state);
}

const struct raft_rules rules_disk = {
    .name = "disk", .size = sizeof(struct each), .before = before, .after = after, .restart = restart, .fini = fini,
};
