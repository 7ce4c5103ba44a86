/* Messages: events only where they say something that the state of the sender does not. */
#include "diff/gather.h"

#include <stdio.h>

#include <xxhash.h>

/* The same message again on its way to the same peer: a retry. */
static bool channel_again(const struct gather *at, uint16_t peer, bool sent, const struct raft_message *m)
{
    struct diff_node *n = at->node;
    uint64_t parts[] = {m->type, m->term, m->prev_index, m->prev_term, m->match, m->success, m->pre_vote};
    uint64_t meaning = XXH3_64bits(parts, sizeof parts);
    if (peer >= DIFF_PEERS)
        return false;
    uint64_t *last = sent ? &n->channel[peer].sent : &n->channel[peer].received;
    bool again = *last == meaning;
    *last = meaning;
    return again;
}

static struct diff_event *message_emit(const struct gather *at, enum diff_kind kind, uint16_t peer, bool sent)
{
    const struct raft_message *m = at->fact->message;
    struct diff_event *event = gather_emit(at, kind);
    event->type = (uint8_t)m->type;
    event->peer = peer;
    event->term = m->term;
    event->index = m->prev_index;
    event->last = m->type == RAFT_REQUEST_VOTE || m->type == RAFT_INSTALL_SNAPSHOT ? m->prev_term : m->match;
    event->flags = (uint8_t)((sent ? DIFF_SENT : 0) | (m->success ? DIFF_SUCCESS : 0) | (m->pre_vote ? DIFF_PRE_VOTE : 0));
    return event;
}

/* A node that keeps its term in a file speaks of one that is not there yet. */
static bool term_ahead(const struct gather *at)
{
    return at->node->durable_term && at->fact->message->term > at->node->durable_term;
}

/* --- votes --- */

static void request_vote_sent(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    bool ahead = (at->node->disk && m->prev_index > at->node->synced) || term_ahead(at);
    if (!m->pre_vote)
        gather_candidate(at, m->term);
    if (!m->pre_vote && at->node->position_term != m->term) {
        at->node->position_term = m->term;
        message_emit(at, DIFF_MESSAGE, DIFF_NO_PEER, true)->flags |= ahead ? DIFF_AHEAD : 0;
    }
    if (!channel_again(at, peer, true, m))
        message_emit(at, DIFF_MESSAGE, peer, true);
}

static void vote_result_sent(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    uint64_t term = m->asked ? m->asked : m->term;
    bool ahead = !m->pre_vote && ((m->success && at->node->disk && at->node->durable_vote_term != term) || term_ahead(at));
    if (m->success && !m->pre_vote)
        gather_vote(at, term, peer);
    if (channel_again(at, peer, true, m))
        return;
    struct diff_event *event = message_emit(at, m->success || m->pre_vote ? DIFF_MESSAGE : DIFF_REFUSAL, peer, true);
    event->term = term;
    event->last = m->term < term; /* it carries an older term */
    event->flags |= ahead ? DIFF_AHEAD : 0;
}

/* --- entries --- */

/* Whether the message says of the log what the sender's log says: where that is known. */
static bool entries_own(const struct gather *at)
{
    const struct raft_message *m = at->fact->message;
    for (size_t i = 0; i < m->entries; i++) {
        const struct raft_entry *entry = &m->entry[i];
        const struct diff_event *own = diff_run_entry(at->run, at->index, entry->index);
        struct diff_entry *slot = own ? run_log_find(at->node, entry->index) : NULL;
        if (own && (own->term != entry->term || (!slot->weak && own->type != 'm' && entry->type != 'm' &&
                                                 own->content != gather_content(at->fact, entry))))
            return false;
    }
    const struct diff_event *previous = diff_run_entry(at->run, at->index, m->prev_index);
    return !previous || previous->term == m->prev_term;
}

/* After an index below one that the peer has acknowledged. */
static bool sends_again(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    return peer < DIFF_PEERS && at->node->acked[peer].term == m->term && m->prev_index < at->node->acked[peer].match;
}

/* A refusal of AppendEntries that this log agrees with. */
static bool refuses_fitting(const struct gather *at)
{
    const struct diff_node *n = at->node;
    const struct diff_event *previous = diff_run_entry(at->run, at->index, n->asked.previous);
    return n->asked.term && n->asked.term >= n->term && previous && previous->term == n->asked.previous_term;
}

static void append_sent(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    gather_leader(at, m->term);
    bool own = entries_own(at), again = sends_again(at, peer);
    if ((!own || again) && !channel_again(at, peer, true, m)) {
        struct diff_event *event = message_emit(at, DIFF_SEND, peer, true);
        event->flags |= again ? DIFF_BACK : 0;
        event->last = m->entries ? m->entry[m->entries - 1].index : m->prev_index;
        event->content = m->entries ? gather_content(at->fact, &m->entry[m->entries - 1]) : m->prev_term;
    }
    gather_commit(at, m->commit);
}

static void append_received(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    struct diff_node *n = at->node;
    if (m->term != n->verified_term)
        n->verified = 0;
    n->verified_term = m->term;
    if (m->prev_index + m->entries > n->verified)
        n->verified = m->prev_index + m->entries;
    n->asked.term = m->term;
    n->asked.previous = m->prev_index;
    n->asked.previous_term = m->prev_term;
    if (m->term > n->heard_term) {
        n->heard_term = m->term;
        struct diff_event *event = message_emit(at, DIFF_MESSAGE, peer, false);
        event->index = event->last = 0;
    }
}

static void append_result_sent(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    struct diff_node *n = at->node;
    unsigned flags = 0;
    if (!m->success) {
        if (!channel_again(at, peer, true, m))
            message_emit(at, refuses_fitting(at) ? DIFF_ACK : DIFF_MESSAGE, peer, true);
        return;
    }
    if ((n->disk && m->match > n->synced) || term_ahead(at))
        flags |= DIFF_AHEAD;
    if (m->term == n->verified_term && m->match > n->verified)
        flags |= DIFF_BEYOND;
    if (flags && !channel_again(at, peer, true, m))
        message_emit(at, DIFF_ACK, peer, true)->flags |= (uint8_t)flags;
}

/* What the node does next, it may do because of this. */
static void triggered(const struct gather *at, uint16_t peer)
{
    struct diff_node *n = at->node;
    n->trigger.sequence = at->fact->sequence;
    n->trigger.term = at->fact->message->term;
    n->trigger.type = (uint8_t)at->fact->message->type;
    n->trigger.peer = peer;
}

/* --- clients --- */

static void client(const struct gather *at)
{
    const struct raft_message *m = at->fact->message;
    bool result = m->type == RAFT_CLIENT_RESULT;
    char words[128];
    int length = snprintf(words, sizeof words, "%s%s%s", m->name, *m->key ? " " : "",
                          m->entries && *m->entry->text ? m->entry->text : m->key);
    if (result && m->success && *m->key && !m->read)
        gather_commit(at, m->match); /* a client may rely on it */
    struct diff_event *event = gather_emit(at, result ? DIFF_RESULT : DIFF_REQUEST);
    event->text = run_text(at->run, words, length < 0 ? 0 : (size_t)length < sizeof words
                           ? (size_t)length : sizeof words - 1);
    event->index = result ? m->match : 0;
    event->content = m->value ? m->value : m->entries ? gather_content(at->fact, m->entry) : 0;
    event->type = (uint8_t)m->type;
    event->flags = (uint8_t)((m->success ? DIFF_SUCCESS : 0) | (m->read ? DIFF_READ : 0) | (result ? DIFF_SENT : 0));
    if (!result && at->fact->kind == RAFT_FACT_RECEIVED)
        triggered(at, DIFF_NO_PEER);
}

static void other(const struct gather *at, uint16_t peer, bool sent)
{
    const struct raft_message *m = at->fact->message;
    struct diff_node *n = at->node;
    bool installed = sent && m->type == RAFT_INSTALL_SNAPSHOT_RESULT && m->success;
    if (!sent && m->type == RAFT_INSTALL_SNAPSHOT)
        n->installing = m->prev_index;
    if (!channel_again(at, peer, sent, m))
        message_emit(at, DIFF_MESSAGE, peer, sent)->flags |= installed && n->disk && n->synced < n->installing ?
            DIFF_AHEAD : 0;
}

static void message_sent(const struct gather *at, uint16_t peer)
{
    switch (at->fact->message->type) {
    case RAFT_REQUEST_VOTE: request_vote_sent(at, peer); break;
    case RAFT_REQUEST_VOTE_RESULT: vote_result_sent(at, peer); break;
    case RAFT_APPEND_ENTRIES: append_sent(at, peer); break;
    case RAFT_APPEND_ENTRIES_RESULT: append_result_sent(at, peer); break;
    default: other(at, peer, true);
    }
}

static void message_received(const struct gather *at, uint16_t peer)
{
    const struct raft_message *m = at->fact->message;
    struct diff_node *n = at->node;
    triggered(at, peer);
    if (m->type == RAFT_APPEND_ENTRIES)
        append_received(at, peer);
    else if (m->type != RAFT_APPEND_ENTRIES_RESULT || !m->success)
        other(at, peer, false);
    else if (peer < DIFF_PEERS && (m->term != n->acked[peer].term || m->match > n->acked[peer].match)) {
        n->acked[peer].term = m->term;
        n->acked[peer].match = m->match;
    }
}

void gather_message(const struct gather *at)
{
    const struct raft_message *m = at->fact->message;
    bool sent = at->fact->kind == RAFT_FACT_SENT;
    at->run->messages++;
    if (!m || m->type == RAFT_NONE || m->type == RAFT_OTHER)
        return;
    if (m->type == RAFT_CLIENT_REQUEST || m->type == RAFT_CLIENT_RESULT) {
        client(at);
        return;
    }
    uint16_t peer = run_peer(at->run, sent ? m->to : m->from);
    if (sent)
        message_sent(at, peer);
    else
        message_received(at, peer);
}
