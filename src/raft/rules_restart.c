/* What must be there after a restart, and what may not be back: T14, T15, T25. What the node read back is compared with what
 * was on its stable storage before; what it says and does then, with both. */
#include <inttypes.h>
#include <string.h>

#include "raft/rules_disk.h"

static void before_crash(struct raft_break *b, const struct disk *d)
{
    break_reason(b, &d->start, "is started again");
}

/* The log ends beyond what the node read back and was sent since: entries that it had deleted. By their old terms at its
 * end it votes for candidates that lack any of the others: so all of its log is in doubt. */
bool restart_brought_back(struct step *s, const struct disk *d, const struct raft_message *m, uint64_t index)
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
        before_crash(b, d);
        if (b)
            b->at = d->last_loaded.at.how != RAFT_HOW_NONE ? d->last_loaded.at : d->start;
    }
    if (d->read_terms && d->before.term > d->loaded.term) {
        struct raft_break *b = break_add(s, RAFT_T25, RAFT_SPOILS_TERM, d->loaded.term, 0, "");
        break_text(b, "term", "the files that %s read back say term %" PRIu64 "; term %" PRIu64
                   " had been on stable storage: they were changed from outside, or the disk lost it", s->node->name,
                   d->loaded.term, d->before.term);
        break_reason(b, &d->before.at, "has term %" PRIu64 " on stable storage", d->before.term);
        before_crash(b, d);
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
    before_crash(b, d);
}

void restart_loaded(struct step *s, struct disk *d)
{
    if (!d->loading)
        return;
    d->loading = false;
    if (!d->restarted)
        return;
    check_loaded(s, d);
    check_resurrected(s, d);
}

void restart_loads(struct step *s, struct disk *d)
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

/* It read them back, and deletes them before anybody has sent it anything. */
void restart_forgets(struct step *s, const struct disk *d)
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
void restart_announces(struct step *s, struct disk *d, const struct raft_message *m)
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
    before_crash(b, d);
    if (!d->read_log)
        break_likely(b, "the files that it read back were not seen: they may have been gone already");
    if (b && read) { /* what it read was right: it went wrong when it began, and shows now */
        struct raft_witness said = b->at;
        b->at = d->loaded_at;
        break_reason(b, &said, "names index %" PRIu64 " of term %" PRIu64 " as the end of its log", m->prev_index,
                     m->prev_term);
    }
}

/* A term that it says or writes is lower than one it had. */
void restart_term(struct step *s, struct disk *d, uint64_t term)
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
    before_crash(b, d);
    if (b && read) {
        struct raft_witness shows = b->at;
        b->at = d->loaded_at;
        break_reason(b, &shows, "is in term %" PRIu64, term);
    }
    d->said.term = d->before.term = 0; /* said once */
}

/* A second vote in a term, after the first was given before the restart. */
void restart_vote(struct step *s, struct disk *d, uint64_t term, const char *candidate)
{
    const struct ballot *had = &d->said;
    if (!d->restarted || !candidate[0] || term != had->term || !had->vote[0] || strcmp(had->vote, candidate) == 0)
        return;
    struct raft_break *b = break_add(s, RAFT_T15, RAFT_SPOILS_ELECTION, term, 0, candidate);
    break_text(b, "vote", "%s, started again, voted for %s in term %" PRIu64 "; it had voted for %s in it", s->node->name,
               step_peer(s, candidate), term, step_peer(s, had->vote));
    break_reason(b, &had->at, "votes for %s in term %" PRIu64, step_peer(s, had->vote), term);
    before_crash(b, d);
}

/* --- what is kept --- */

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
        if (!slot || !slot->durable || slot->synced.how == RAFT_HOW_LOADED) /* read back: it may have been in the page cache alone */
            continue;
        d->last_before = (struct place){i, slot->variant->term, slot->synced};
        return;
    }
}

void restart_begins(struct raft_node *n, struct disk *d)
{
    struct disk old = *d;
    if (!old.restarted || old.read_log || old.rewritten) /* else it died before it had looked: they are what they were */
        ends_of_log(n, &old);
    *d = (struct disk){
        .terms = old.terms, .votes = old.votes, .ballots = old.ballots, .durable = old.durable, .written = old.written,
        .shown = old.shown, .before = old.durable, .said = old.shown,
        .restarted = true, .loading = true, .last_before = old.last_before, .known_before = old.known_before,
        .snapshot = old.snapshot,
    };
    memcpy(d->history, old.history, sizeof d->history);
}
