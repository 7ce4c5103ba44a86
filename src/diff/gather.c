/* From facts to events: what is told twice, by a mark, a file, a message, is one event, the first that tells it. */
#include "diff/gather.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

struct diff_event *gather_emit(const struct gather *at, enum diff_kind kind)
{
    return run_emit(at->run, at->index, kind, at->fact->process, at->fact->sequence, at->fact->time);
}

/* --- content --- */

/* Is there a uuid in the text? It differs by chance. */
static bool has_uuid(const char *text)
{
    int digits = 0, dashes = 0;
    for (; *text; text++) {
        if (isxdigit((unsigned char)*text)) {
            digits++;
        } else if (*text == '-' && (digits == 8 || (dashes && digits >= 4))) {
            dashes++;
            digits = 0;
        } else {
            digits = dashes = 0;
        }
        if (dashes >= 3)
            return true;
    }
    return false;
}

/* Where content holds names that are made by chance, only how it begins is compared, without hex digits. */
static uint64_t masked(const char *text)
{
    uint64_t hash = 1;
    for (; *text; text++) {
        if (!isxdigit((unsigned char)*text))
            hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return hash;
}

uint64_t gather_content(const struct raft_fact *fact, const struct raft_entry *entry)
{
    if (entry->type == 'n')
        return 1;
    if (has_uuid(entry->text) || !strcmp(fact->protocol, "ovsdb"))
        return masked(entry->text);
    return entry->digest;
}

static bool is_mark(const struct raft_fact *fact)
{
    return !strcmp(fact->protocol, "mark");
}

static void content_set(const struct gather *at, struct diff_event *event, const struct raft_entry *entry)
{
    const char *text = entry->type == 'm' && entry->members ? entry->members : entry->text;
    event->content = gather_content(at->fact, entry);
    event->text = run_text(at->run, text, strlen(text));
    event->type = entry->type == 'm' && !entry->members ? '?' : (uint8_t)entry->type;
    event->flags = (uint8_t)((event->flags & ~DIFF_WEAK) | (is_mark(at->fact) ? DIFF_WEAK : 0));
}

/* --- terms, votes, roles --- */

static void term_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    uint64_t term = at->fact->term;
    if (at->fact->durable)
        n->durable_term = term;
    if (at->fact->again || term == n->term)
        return;
    struct diff_event *event = gather_emit(at, DIFF_TERM);
    event->term = term;
    event->flags = term < n->term ? DIFF_BACK : 0;
    n->term = term;
}

void gather_candidate(const struct gather *at, uint64_t term)
{
    struct diff_node *n = at->node;
    if (n->candidate_term == term)
        return;
    gather_emit(at, DIFF_CANDIDATE)->term = n->candidate_term = n->role_term = term;
    n->role = 1;
}

void gather_leader(const struct gather *at, uint64_t term)
{
    struct diff_node *n = at->node;
    if (n->leader_term == term)
        return;
    gather_emit(at, DIFF_LEADER)->term = n->leader_term = n->role_term = term;
    n->role = 2;
}

void gather_vote(const struct gather *at, uint64_t term, uint16_t peer)
{
    struct diff_node *n = at->node;
    if (peer == DIFF_NO_PEER)
        return;
    if (at->run->peer[peer].node == (int)at->index) {
        gather_candidate(at, term);
        return;
    }
    for (size_t i = 0; i < sizeof n->vote / sizeof *n->vote; i++) {
        if (n->vote[i].term == term && n->vote[i].peer == peer)
            return;
    }
    n->vote[n->votes % 8].term = term;
    n->vote[n->votes++ % 8].peer = peer;
    struct diff_event *event = gather_emit(at, DIFF_VOTE);
    event->term = term;
    event->peer = peer;
}

static void vote_fact(const struct gather *at)
{
    const struct raft_fact *fact = at->fact;
    if (fact->durable)
        at->node->durable_vote_term = fact->term;
    if (fact->again || !*fact->peer || !strcmp(fact->peer, "0"))
        return;
    gather_vote(at, fact->term, run_peer(at->run, fact->peer));
}

static void role_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    if (at->fact->role == 2) {
        gather_leader(at, at->fact->term);
    } else if (at->fact->role == 1) {
        gather_candidate(at, at->fact->term);
    } else {
        if (n->role > 0)
            gather_emit(at, DIFF_FOLLOWER)->term = at->fact->term;
        n->role = 0;
    }
}

/* --- the log --- */

static void log_end(struct diff_node *n, uint64_t index)
{
    n->last = index;
    if (n->synced > index)
        n->synced = index;
}

static void append_durable(const struct gather *at, struct diff_entry *slot, uint64_t index)
{
    struct diff_node *n = at->node;
    n->disk |= at->fact->durable || at->fact->written;
    if (!at->fact->durable)
        return;
    slot->durable = true;
    if (index > n->synced)
        n->synced = index;
}

/* The entry that is there already, told by somebody else? A better witness of its content is kept. */
static bool append_known(const struct gather *at, struct diff_entry *slot, const struct raft_entry *entry)
{
    struct diff_event *event = slot->event ? &at->run->event[slot->event - 1] : NULL;
    if (!event || entry->index > at->node->last || event->term != entry->term)
        return false;
    if (!slot->weak || is_mark(at->fact))
        return is_mark(at->fact) || slot->weak || event->type == 'm' || event->content == gather_content(at->fact, entry);
    content_set(at, event, entry);
    slot->weak = false;
    return true;
}

static void append_fact(const struct gather *at)
{
    struct raft_entry entry = at->fact->entry;
    struct diff_node *n = at->node;
    entry.index = at->fact->index;
    struct diff_entry *slot = run_log_make(n, entry.index);
    if (!slot) {
        at->run->out_of_memory = true;
        return;
    }
    if (!at->fact->again && !append_known(at, slot, &entry)) {
        struct diff_event *event = gather_emit(at, DIFF_APPEND);
        event->index = entry.index;
        event->term = entry.term;
        bool unsent = n->role == 0 && entry.index > 1 && entry.index > n->verified;
        event->flags = (uint8_t)((entry.index <= n->last ? DIFF_BACK : 0) | (unsent ? DIFF_BEYOND : 0));
        content_set(at, event, &entry);
        log_end(n, entry.index);
        *slot = (struct diff_entry){.event = (uint32_t)at->run->events, .weak = is_mark(at->fact)};
        if (n->synced == entry.index)
            n->synced--;
    }
    append_durable(at, slot, entry.index);
}

static void truncate_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    bool told = at->fact->written && n->cut == at->fact->index + 1;
    if (at->fact->again || at->fact->index >= n->last)
        return;
    n->cut = is_mark(at->fact) ? at->fact->index + 1 : 0;
    if (told) /* and entries that came in their place have been told as well */
        return;
    struct diff_event *event = gather_emit(at, DIFF_TRUNCATE);
    event->index = at->fact->index;
    event->last = n->last;
    log_end(n, at->fact->index);
}

/* Another file is the log now. It may hold less, and without the snapshot before it nothing is left. */
static void rewritten_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    if (!at->fact->again && at->fact->index > n->based) {
        struct diff_event *event = gather_emit(at, DIFF_TRUNCATE);
        event->index = at->fact->index;
        event->flags = DIFF_AHEAD;
    }
    uint64_t last = at->fact->entry.index > at->fact->index ? at->fact->entry.index : at->fact->index;
    if (at->fact->again || !last || last >= n->last)
        return;
    struct diff_event *event = gather_emit(at, DIFF_TRUNCATE);
    event->index = last;
    event->last = n->last;
    event->flags = DIFF_BEYOND;
    log_end(n, last);
}

static void snapshot_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    const struct raft_fact *fact = at->fact;
    if ((fact->durable || !n->disk) && fact->index > n->synced)
        n->synced = fact->index;
    if (fact->durable && fact->index > n->based)
        n->based = fact->index;
    if (fact->again || fact->index <= n->base)
        return;
    struct diff_event *event = gather_emit(at, DIFF_SNAPSHOT);
    event->index = n->base = fact->index;
    event->term = fact->term;
    event->content = fact->entry.digest;
    n->snapshot = (uint32_t)at->run->events;
    if (n->base > n->last)
        n->last = n->base;
    if (n->base > n->commit)
        n->commit = n->base;
    if (n->base > n->applied)
        n->applied = n->base;
}

/* That of a snapshot, which comes with it. */
static bool snapshot_members(const struct gather *at)
{
    struct diff_event *event = at->node->snapshot ? &at->run->event[at->node->snapshot - 1] : NULL;
    if (!event || event->process != at->fact->process || event->sequence != at->fact->sequence)
        return false;
    event->text = run_text(at->run, at->fact->text, strlen(at->fact->text));
    return true;
}

/* No entry brings it: a snapshot did, or the entry that had brought another is gone. */
static void members_emit(const struct gather *at)
{
    struct diff_event *event = gather_emit(at, DIFF_MEMBERS);
    event->index = at->node->members = at->fact->index;
    event->text = run_text(at->run, at->fact->text, strlen(at->fact->text));
}

/* A configuration is what its members are; the bytes hold their addresses. */
static void configuration_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    const char *text = at->fact->text;
    uint64_t index = at->fact->index;
    struct diff_entry *slot = index <= n->last ? run_log_find(n, index) : NULL;
    struct diff_event *event = slot && slot->event ? &at->run->event[slot->event - 1] : NULL;
    if (at->fact->again || !text || (at->fact->written && snapshot_members(at)))
        return;
    if (index < n->members || (index > n->members && index <= n->base)) {
        if (is_mark(at->fact))
            members_emit(at);
        return;
    }
    n->members = index;
    if (!event)
        return;
    event->type = 'm';
    event->text = run_text(at->run, text, strlen(text));
    if (!event->again && event->process == at->fact->process && at->fact->sequence - event->sequence < UINT32_MAX)
        event->again = (uint32_t)(at->fact->sequence - event->sequence);
}

/* --- commit, apply --- */

#define COMMIT_MOST 100000

static void commit_emit(const struct gather *at, uint64_t first, uint64_t last, uint64_t term, unsigned flags)
{
    struct diff_event *event = gather_emit(at, DIFF_COMMIT);
    event->index = first;
    event->last = last;
    event->term = term;
    event->flags = (uint8_t)flags;
    at->node->commit = last;
}

static uint64_t entry_term(const struct gather *at, uint64_t index)
{
    const struct diff_event *entry = diff_run_entry(at->run, at->index, index);
    return entry ? entry->term : 0;
}

/* One event for each term: index and term say which entries they are. */
void gather_commit(const struct gather *at, uint64_t index)
{
    uint64_t first = at->node->commit + 1;
    while (first <= index && first) {
        uint64_t term = entry_term(at, first), last = first;
        while (last < index && last <= at->node->last && last - first < COMMIT_MOST && entry_term(at, last + 1) == term)
            last++;
        if (last > at->node->last || last - first == COMMIT_MOST)
            last = index; /* of entries that are not known; nobody commits so much at once */
        commit_emit(at, first, last, term, 0);
        first = last + 1;
    }
}

static void commit_fact(const struct gather *at)
{
    uint64_t index = at->fact->index;
    if (at->fact->again)
        return;
    if (index < at->node->commit && !at->fact->written && !at->fact->durable)
        commit_emit(at, index, index, entry_term(at, index), DIFF_BACK);
    gather_commit(at, index);
}

/* The digest of the state, asked for at some time: what differs by chance is when. */
static void state_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    const struct raft_fact *fact = at->fact;
    if (!fact->entry.digest || (n->state_index == fact->index && n->state == fact->entry.digest))
        return;
    struct diff_event *event = gather_emit(at, DIFF_APPLY);
    event->index = event->last = n->state_index = fact->index;
    event->content = n->state = fact->entry.digest;
    event->type = DIFF_STATE;
}

static void apply_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    uint64_t index = at->fact->index, known = n->applied;
    bool all = at->fact->term == 0;
    if (all && !at->fact->again)
        state_fact(at);
    if (at->fact->again || (all && index <= known))
        return;
    struct diff_event *event = gather_emit(at, DIFF_APPLY);
    event->index = all ? known + 1 : index;
    event->last = index;
    event->term = at->fact->term;
    event->content = all ? 0 : at->fact->entry.digest;
    event->flags = !all && index <= known ? DIFF_BACK : 0;
    n->applied = index;
}

/* --- what a restarted node remembers --- */

/* At its start; later it is read to be sent. */
static void snapshot_loaded(const struct gather *at)
{
    struct diff_node *n = at->node;
    if (!n->loaded.open)
        return;
    struct diff_event *event = gather_emit(at, DIFF_RECOVERED);
    event->index = at->fact->index;
    event->term = at->fact->term;
    event->type = DIFF_STATE;
    n->based = at->fact->index;
    if (at->fact->index > n->loaded.last)
        n->loaded.last = at->fact->index;
}

static void loaded_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    const struct raft_fact *fact = at->fact;
    uint64_t parts[3] = {fact->index, fact->term, fact->entry.type == 'm' ? 0 : gather_content(fact, &fact->entry)};
    n->loaded.any = true;
    if (fact->kind == RAFT_FACT_TERM && fact->term > n->loaded.term)
        n->loaded.term = fact->term;
    if (fact->kind == RAFT_FACT_VOTE && fact->term >= n->loaded.vote_term) {
        n->loaded.vote_term = fact->term;
        n->loaded.vote = run_peer(at->run, fact->peer);
    }
    if (fact->kind == RAFT_FACT_TRUNCATE || fact->kind == RAFT_FACT_APPEND)
        n->loaded.last = fact->index;
    if (fact->kind == RAFT_FACT_SNAPSHOT)
        snapshot_loaded(at);
    if (fact->kind == RAFT_FACT_APPEND)
        n->loaded.hash += XXH3_64bits(parts, sizeof parts);
}

static void loaded_end(const struct gather *at)
{
    struct diff_node *n = at->node;
    n->loaded.open = false;
    if (!n->loaded.any)
        return;
    struct diff_event *event = gather_emit(at, DIFF_RECOVERED);
    event->index = n->loaded.last;
    event->term = n->loaded.term;
    event->last = n->loaded.vote_term;
    event->peer = n->loaded.vote;
    event->content = n->loaded.hash;
    n->term = n->durable_term = n->loaded.term;
    n->durable_vote_term = n->loaded.vote_term;
    if (n->loaded.last) {
        log_end(n, n->loaded.last);
        n->synced = n->loaded.last;
    }
}

/* --- from outside --- */

static void start_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    n->incarnation++;
    n->role = 0;
    n->commit = n->applied = n->base;
    n->candidate_term = n->leader_term = n->heard_term = n->position_term = 0;
    n->verified = n->verified_term = n->cut = 0;
    n->links = 0;
    memset(n->channel, 0, sizeof n->channel);
    memset(n->acked, 0, sizeof n->acked);
    n->asked.term = n->state_index = 0;
    memset(&n->loaded, 0, sizeof n->loaded);
    n->loaded.open = true;
    n->loaded.vote = n->trigger.peer = DIFF_NO_PEER;
    n->trigger.sequence = UINT64_MAX;
    gather_emit(at, DIFF_START)->index = n->incarnation;
}

/* `drd fault`, run by the test: what it asked for. The nodes tell when they meet it. */
static void outside_fact(const struct gather *at)
{
    const char *text = at->fact->text ? at->fact->text : "";
    char words[128];
    int length = snprintf(words, sizeof words, "%.40s %.80s", text, at->fact->peer);
    struct diff_event *event = run_emit(at->run, at->run->outside, DIFF_FAULT, at->fact->process, at->fact->sequence,
                                        at->fact->time);
    event->trigger = UINT64_MAX;
    event->text = run_text(at->run, words, (size_t)length);
}

/* A cut is told for every connection that it meets; the first says it. */
static void fault_fact(const struct gather *at)
{
    struct diff_node *n = at->node;
    if (!strcmp(n->program, "drd")) {
        outside_fact(at);
        return;
    }
    const char *text = at->fact->text ? at->fact->text : "";
    bool cut = !strcmp(text, "cut");
    uint16_t peer = run_peer(at->run, at->fact->peer);
    unsigned i = 0;
    if (!strcmp(text, "refuse"))
        return;
    while (i < n->links && n->link[i].peer != peer)
        i++;
    if (i == DIFF_PEERS || (i < n->links && n->link[i].cut == cut))
        return;
    n->link[i].peer = peer;
    n->link[i].cut = cut;
    n->links += i == n->links;
    struct diff_event *event = gather_emit(at, DIFF_FAULT);
    event->peer = peer;
    event->text = run_text(at->run, text, strlen(text));
}

static void failed_fact(const struct gather *at)
{
    const char *text = at->fact->text ? at->fact->text : "";
    gather_emit(at, DIFF_WRITE_FAILED)->text = run_text(at->run, text, strlen(text));
}

static void node_fact(const struct gather *at)
{
    uint16_t peer = run_peer(at->run, at->fact->peer);
    if (peer != DIFF_NO_PEER)
        at->run->peer[peer].node = (int)at->index;
}

/* Processes that have ended by now. */
static void exits_until(struct diff_run *r, uint64_t time)
{
    for (; r->ended < r->processes; r->ended++) {
        const struct store_process *p = &r->process[r->ends[r->ended]];
        if (p->end > time)
            break;
        if (!p->end || p->forked)
            continue;
        struct diff_event *event = run_emit(r, r->node_of[p->number], DIFF_EXIT, p->number, p->events ? p->events - 1 : 0,
                                            p->end);
        event->index = (uint64_t)(int64_t)p->status;
    }
}

static void (*const gatherers[])(const struct gather *at) = {
    [RAFT_FACT_SENT] = gather_message, [RAFT_FACT_RECEIVED] = gather_message, [RAFT_FACT_TERM] = term_fact,
    [RAFT_FACT_VOTE] = vote_fact, [RAFT_FACT_ROLE] = role_fact, [RAFT_FACT_APPEND] = append_fact,
    [RAFT_FACT_TRUNCATE] = truncate_fact, [RAFT_FACT_REWRITTEN] = rewritten_fact, [RAFT_FACT_COMMIT] = commit_fact,
        [RAFT_FACT_APPLY] = apply_fact,
    [RAFT_FACT_SNAPSHOT] = snapshot_fact, [RAFT_FACT_CONFIGURATION] = configuration_fact, [RAFT_FACT_NODE] = node_fact,
    [RAFT_FACT_START] = start_fact, [RAFT_FACT_FAULT] = fault_fact, [RAFT_FACT_WRITE_FAILED] = failed_fact,
};

static bool is_outside(enum raft_fact_kind kind)
{
    return kind == RAFT_FACT_START || kind == RAFT_FACT_FAULT || kind == RAFT_FACT_TEXT || kind == RAFT_FACT_NODE;
}

void diff_run_fact(struct diff_run *r, const struct raft_fact *fact)
{
    size_t node = fact->process <= r->highest ? r->node_of[fact->process] : UINT16_MAX;
    if (node >= r->nodes || r->out_of_memory)
        return;
    struct gather at = {r, node, &r->node[node], fact};
    exits_until(r, fact->time);
    if (!is_outside(fact->kind)) {
        at.node->raft = true;
        /* marks may stand between its reads */
        if (at.node->loaded.open && !fact->loaded && (fact->message || fact->written || fact->kind == RAFT_FACT_ROLE))
            loaded_end(&at);
    }
    if (fact->loaded)
        loaded_fact(&at);
    else if ((size_t)fact->kind < sizeof gatherers / sizeof *gatherers && gatherers[fact->kind])
        gatherers[fact->kind](&at);
}

/* What only a mark told of an entry, another node's file or message may tell better: equal index and term, equal entry. */
static void content_find(struct diff_run *r, struct diff_event *event)
{
    for (size_t i = 0; i < r->nodes; i++) {
        const struct diff_event *other = diff_run_entry(r, i, event->index);
        const struct diff_entry *slot = other ? run_log_find(&r->node[i], event->index) : NULL;
        if (!other || slot->weak || other->term != event->term)
            continue;
        event->content = other->content;
        event->text = other->text;
        event->type = other->type;
        return;
    }
    if (event->type == '?' && !event->text) /* nothing but a digest of the node's own making */
        event->content = 0;
}

static void contents_find(struct diff_run *r)
{
    for (size_t i = 0; i < r->events; i++) {
        struct diff_event *event = &r->event[i];
        if (i % DIFF_STRIDE == 0)
            diff_run_drop(r);
        if (event->kind == DIFF_APPEND && event->flags & DIFF_WEAK)
            content_find(r, event);
        event->flags &= (uint8_t)~DIFF_WEAK;
    }
}

void diff_run_finish(struct diff_run *r)
{
    exits_until(r, UINT64_MAX);
    contents_find(r);
    for (size_t i = 0; i < r->peers; i++) {
        size_t node = r->peer[i].node < 0 ? diff_run_node(r, r->peer[i].id) : r->nodes;
        if (node < r->nodes)
            r->peer[i].node = (int)node;
    }
}
