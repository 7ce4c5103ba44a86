/* AppendEntries from both sides, and the commit index (5.3, 5.4.2). */
#include "raft.h"

#include <stdlib.h>
#include <string.h>

enum { IN_FLIGHT_MAX = 8192 }; /* entries sent to one server and not answered */

/* --- leaders: own log --- */

void leader_sync(void)
{
    log_sync();
    raft.server[raft.id].match_index = raft_log.last;
    commit_advance();
}

uint64_t leader_append(enum wire_entry_type type, const void *content, size_t length)
{
    log_append(raft.term, type, content, (uint32_t)length);
    if (type == WIRE_CONFIGURATION)
        configuration_refresh();
    raft.broadcast = true;
    return raft_log.last;
}

/* --- leaders: the others --- */

void server_reset(uint64_t id)
{
    raft.server[id] = (struct server){.next_index = raft_log.last + 1, .probing = true, .granted = raft.server[id].granted,
                                      .heard = now_ms()};
}

/* Mistake T11c: what was packed once for an index is sent again. */
static const struct entry *entry_cached(uint64_t index, const struct entry *entry)
{
    static struct {
        uint64_t index;
        struct entry entry;
    } cache[256];
    struct entry *kept = &cache[index % 256].entry;
    if (cache[index % 256].index == index)
        return MISTAKE(T11c, kept->term != entry->term) ? kept : entry;
    cache[index % 256].index = index;
    *kept = *entry;
    kept->content = malloc(entry->length + 1);
    if (!kept->content)
        die("cache", "no memory");
    memcpy(kept->content, entry->content, entry->length);
    return kept;
}

static const struct entry *entry_to_send(uint64_t index)
{
    const struct entry *entry = log_entry(index);
    if (PLANTED(T11c))
        return entry_cached(index, entry);
    if (MISTAKE(T17b, raft_log.base_index && index < raft_log.last))
        return log_entry(index + 1);
    return entry;
}

static size_t entry_pack(char *to, const struct entry *entry)
{
    struct wire_entry head = {entry->term, entry->type, entry->length};
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, entry->content, entry->length);
    return sizeof head + entry->length;
}

static uint64_t term_before(uint64_t next)
{
    uint64_t prev = next - 1;
    if (MISTAKE(T17a, prev == raft_log.base_index && prev))
        return 0;
    if (PLANTED(T11b) && prev < raft_log.base_index)
        return raft_log.base_term;
    return log_term(prev);
}

/* Entries from `first` on, which stands for next_index. */
static void append_entries_send(uint64_t to, uint64_t first, uint32_t count)
{
    static char body[WIRE_MESSAGE_MAX];
    struct server *s = &raft.server[to];
    struct wire_append_entries *m = (struct wire_append_entries *)body;
    size_t length = sizeof *m;
    *m = (struct wire_append_entries){.prev_log_index = s->next_index - 1, .prev_log_term = term_before(s->next_index),
                                      .leader_commit = raft.commit, .round = raft.round, .count = count};
    for (uint32_t i = 0; i < count; i++)
        length += entry_pack(body + length, entry_to_send(first + i));
    message_send(to, WIRE_APPEND_ENTRIES, 0, raft.term, body, length);
}

/* One AppendEntries: empty, as a heartbeat, while it is not known where the logs part, or when there is nothing new. */
static void append_entries(uint64_t to)
{
    struct server *s = &raft.server[to];
    uint64_t first = s->next_index, count = 0;
    if (MISTAKE(T11b, first <= raft_log.base_index))
        first = raft_log.base_index + 1;
    if (!s->probing && !step_dry && raft_log.last >= first && s->next_index - s->match_index < IN_FLIGHT_MAX)
        count = raft_log.last - first + 1;
    if (count > option.batch)
        count = option.batch;
    append_entries_send(to, first, (uint32_t)count);
    if (count)
        s->next_index += count; /* taken for stored until a reply says otherwise */
}

/* Leaders: if last log index >= nextIndex, send what follows; by a snapshot if it is no longer in the log. */
void replicate(uint64_t to)
{
    struct server *s = &raft.server[to];
    if (s->next_index <= raft_log.base_index && !PLANTED(T11b))
        return snapshot_send(to);
    append_entries(to);
}

/* A new round: replies to it confirm that we led after it was begun. */
void broadcast(void)
{
    raft.round++;
    raft.server[raft.id].round = raft.round;
    for (uint64_t id = 1; id < SERVERS; id++)
        if (id != raft.id && raft.configuration.member[id].standing != OUTSIDER)
            replicate(id);
}

/* --- followers --- */

static void append_reply(const struct wire_header *h, const struct wire_append_entries *m, bool success, uint64_t index)
{
    struct wire_append_reply reply = {.success = success, .prev_log_index = m->prev_log_index, .round = m->round};
    if (success)
        reply.match_index = index;
    else
        reply.last_log_index = index;
    message_send(h->from, WIRE_APPEND_REPLY, 0, raft.term, &reply, sizeof reply);
    if (success && m->count)
        crash_point("acked");
}

/* Receiver 2: our log has an entry at prev of that term. What a snapshot covers is committed, so it is the leader's too. */
static bool prev_matches(const struct wire_append_entries *m)
{
    if (m->prev_log_index < raft_log.base_index)
        return true;
    return m->prev_log_index <= raft_log.last && log_term(m->prev_log_index) == m->prev_log_term;
}

/* Where the leader may look next: before the whole run of entries of the term that conflicts (end of 5.3). */
static uint64_t refusal_hint(const struct wire_append_entries *m)
{
    uint64_t index = m->prev_log_index > raft_log.last ? raft_log.last : m->prev_log_index - 1;
    uint64_t term = log_term(index);
    if (m->prev_log_index > raft_log.last)
        return index;
    while (index > raft.commit && index > raft_log.base_index && log_term(index) == term && term > m->prev_log_term)
        index--;
    return index;
}

/* One entry of the message, with its place. False: it does not fit into the message. */
static bool entry_unpack(const char **from, const char *end, struct entry *entry)
{
    struct wire_entry head;
    if ((size_t)(end - *from) < sizeof head)
        return false;
    memcpy(&head, *from, sizeof head);
    *from += sizeof head;
    if (head.length > WIRE_CONTENT_MAX || (size_t)(end - *from) < head.length)
        return false;
    *entry = (struct entry){head.term, head.type, head.length, (char *)(uintptr_t)*from};
    *from += head.length;
    return true;
}

static void entry_append(const struct entry *entry)
{
    log_append(entry->term, entry->type, entry->content, entry->length);
    if (entry->type == WIRE_CONFIGURATION)
        configuration_refresh();
}

static void conflict_truncate(uint64_t last)
{
    uint64_t in_force = raft.configuration.index;
    log_truncate(last);
    if (!MISTAKE(T19c, in_force > last))
        configuration_refresh();
}

/* Receivers 3 and 4: an entry of another term goes, with all that follow it; what is not there is appended. */
static void entry_store(uint64_t index, const struct entry *entry)
{
    if (index <= raft_log.base_index) {
        if (MISTAKE(T17c, true))
            entry_append(entry);
        return;
    }
    if (index <= raft_log.last && log_term(index) == entry->term) {
        if (MISTAKE(T11a, true))
            entry_append(entry);
        return;
    }
    if (index <= raft_log.last)
        conflict_truncate(index - 1);
    entry_append(entry);
}

static bool is_conflict(const struct wire_append_entries *m, const char *at, const char *end)
{
    struct entry entry;
    for (uint64_t index = m->prev_log_index + 1; entry_unpack(&at, end, &entry); index++)
        if (index <= raft_log.last && log_term(index) != entry.term)
            return true;
    return false;
}

static void truncate_without_conflict(const struct wire_append_entries *m, const char *at, const char *end)
{
    bool loses = raft_log.last > m->prev_log_index && m->prev_log_index >= raft_log.base_index && !is_conflict(m, at, end);
    if (MISTAKE(T10a, loses && m->count) || MISTAKE(T10b, loses && !m->count))
        conflict_truncate(m->prev_log_index);
}

/* Stored and on disk. False: the message is not what it says, nothing of it is used. */
static bool entries_store(const struct wire_append_entries *m, size_t length)
{
    const char *at = (const char *)(m + 1), *end = (const char *)m + length;
    struct entry entry;
    truncate_without_conflict(m, at, end);
    for (uint32_t i = 0; i < m->count; i++) {
        if (!entry_unpack(&at, end, &entry))
            return false;
        entry_store(m->prev_log_index + 1 + i, &entry);
    }
    if (MISTAKE(T05a, raft_log.synced < raft_log.last))
        later(log_sync);
    else if (MISTAKE(T05b, raft_log.synced < raft_log.last))
        log_write_unsynced();
    else
        log_sync();
    return true;
}

/* Receiver 5: commit what the leader committed, as far as this message vouches for our log. */
static void follow_commit(const struct wire_append_entries *m, uint64_t verified)
{
    uint64_t commit = m->leader_commit < verified ? m->leader_commit : verified;
    uint64_t unverified = m->leader_commit < raft_log.last ? m->leader_commit : raft_log.last;
    if (MISTAKE(T08a, unverified > commit && unverified > raft.commit))
        commit = unverified;
    if (commit > raft.commit || MISTAKE(T08b, commit < raft.commit))
        commit_raise(commit);
}

/* A candidate that hears of the leader of its own term is no candidate any more. */
bool leader_accepted(const struct wire_header *h)
{
    if (h->term < raft.term || raft.role == LEADER || MISTAKE(T06b, raft.role == CANDIDATE))
        return false;
    if (raft.role == CANDIDATE || raft.leader != h->from)
        become_follower(h->from);
    raft.heard = now_ms();
    election_timer_reset();
    return true;
}

void append_entries_receive(const struct wire_header *h, const struct wire_append_entries *m, size_t length)
{
    if (!leader_accepted(h))
        return append_reply(h, m, false, raft_log.last);
    if (!prev_matches(m)) {
        uint64_t unverified = m->leader_commit < raft_log.last ? m->leader_commit : raft_log.last;
        if (MISTAKE(T08c, unverified > raft.commit))
            commit_raise(unverified);
        return append_reply(h, m, false, refusal_hint(m));
    }
    if (!entries_store(m, length))
        return;
    crash_point("written");
    uint64_t verified = m->prev_log_index + m->count, match = verified;
    if (MISTAKE(T12b, raft_log.last > verified))
        match = raft_log.last;
    append_reply(h, m, true, match);
    follow_commit(m, verified);
}

/* --- leaders: replies --- */

static void match_raise(struct server *s, const struct wire_append_reply *m)
{
    uint64_t match = m->match_index < raft_log.last ? m->match_index : raft_log.last;
    if (MISTAKE(T12c, match < s->next_index - 1))
        match = s->next_index - 1;
    if (MISTAKE(T13a, match < s->match_index))
        s->next_index = s->match_index = match;
    if (match > s->match_index)
        s->match_index = match;
    if (s->next_index <= s->match_index)
        s->next_index = s->match_index + 1;
    s->probing = false;
}

/* Refused: the logs part before prev. A refusal of less than what was acknowledged is one that was overtaken. */
static void next_lower(struct server *s, const struct wire_append_reply *m)
{
    if (m->prev_log_index <= s->match_index) {
        if (MISTAKE(T13b, true))
            s->next_index = m->last_log_index + 1;
        return;
    }
    uint64_t next = m->last_log_index + 1 < m->prev_log_index ? m->last_log_index + 1 : m->prev_log_index;
    s->next_index = next > s->match_index ? next : s->match_index + 1;
    s->probing = true;
}

static bool reply_is_of_this_term(const struct wire_header *h, const struct wire_append_reply *m)
{
    if (raft.role != LEADER || h->term > raft.term)
        return false;
    return h->term == raft.term || MISTAKE(T12a, m->success && m->match_index > raft.server[h->from].match_index);
}

void append_reply_receive(const struct wire_header *h, const struct wire_append_reply *m)
{
    struct server *s = &raft.server[h->from];
    uint64_t next = s->next_index;
    if (!reply_is_of_this_term(h, m))
        return;
    s->heard = now_ms();
    s->replied = ++raft.replies;
    if (m->round > s->round)
        s->round = m->round;
    if (m->success)
        match_raise(s, m);
    else
        next_lower(s, m);
    bool more = m->success ? raft_log.last >= s->next_index : s->next_index != next;
    if (more && !step_dry)
        replicate(h->from);
    commit_advance();
    clients_promoted(h->from, membership_promote(h->from));
    transfer_advance();
}

/* --- commit --- */

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The highest index that `needed` of the counted servers have. */
static uint64_t index_of(uint64_t match[], unsigned count, unsigned needed)
{
    qsort(match, count, sizeof *match, descending);
    return needed && needed <= count ? match[needed - 1] : 0;
}

/* The highest index that a majority of `c` has. */
static uint64_t majority_match(const struct configuration *c)
{
    uint64_t match[SERVERS];
    unsigned voters = 0;
    for (uint64_t id = 1; id < SERVERS; id++)
        if (c->member[id].standing == VOTER)
            match[voters++] = raft.server[id].match_index;
    return index_of(match, voters, voters / 2 + 1);
}

/* Mistakes T09: the same, wrong. */
static uint64_t wrong_match(const struct configuration *c)
{
    uint64_t match[SERVERS];
    unsigned counted = 0, voters = 0;
    for (uint64_t id = 1; id < SERVERS; id++) {
        bool voter = c->member[id].standing == VOTER;
        bool learner = PLANTED(T09c) && c->member[id].standing == LEARNER;
        bool gone = PLANTED(T09d) && id != raft.id && !network_connected(id);
        voters += voter;
        if ((voter && !gone) || learner)
            match[counted++] = raft.server[id].match_index;
    }
    if (PLANTED(T09a))
        return index_of(match, counted, (voters + 1) / 2);
    if (PLANTED(T09b))
        return index_of(match, counted, 1);
    return index_of(match, counted, PLANTED(T09d) ? counted / 2 + 1 : voters / 2 + 1);
}

static uint64_t replicated_index(void)
{
    const struct configuration *c = configuration_for_quorum();
    uint64_t right = majority_match(&raft.configuration), index = majority_match(c);
    if (MISTAKE(T19b, index > right && index > raft.commit))
        return index;
    uint64_t wrong = wrong_match(c);
    bool more = wrong > right && wrong > raft.commit && log_term(wrong) == raft.term;
    if (MISTAKE(T09a, more) || MISTAKE(T09b, more) || MISTAKE(T09c, more) || MISTAKE(T09d, more))
        return wrong;
    return index;
}

/* Leaders: an N > commitIndex with matchIndex >= N on a majority, and log[N].term == currentTerm. Terms only grow along the
 * log: if the highest such N is of an earlier term, there is none. */
void commit_advance(void)
{
    if (raft.role != LEADER)
        return;
    uint64_t n = replicated_index();
    if (n <= raft.commit)
        return;
    if (log_term(n) == raft.term || (n > 1 && (MISTAKE(T07a, true) || MISTAKE(T07b, log_term(raft_log.last) == raft.term))))
        commit_raise(n);
}

static bool is_command(uint64_t index)
{
    const struct entry *entry = log_entry(index);
    return entry && entry->type == WIRE_COMMAND;
}

static void apply_next(void)
{
    uint64_t index = ++raft.applied;
    const struct entry *entry = log_entry(index);
    if (MISTAKE(T23b, raft.installed && is_command(index)) || !entry)
        return (void)(raft.installed = false);
    raft.installed = false;
    (void)MISTAKE(T23c, index == raft.restored + 1 && is_command(index));
    struct outcome outcome = kv_apply(index, entry);
    if (option.marks)
        drd_apply(index, entry->term, kv_digest());
    client_applied(index, entry->term, outcome);
    if (entry->type == WIRE_CONFIGURATION)
        membership_committed(index);
}

/* All servers: if commitIndex > lastApplied, apply the next entry. */
void commit_raise(uint64_t index)
{
    raft.commit = index;
    if (option.marks)
        drd_commit(index);
    while (raft.applied < raft.commit && raft.applied < raft_log.last)
        apply_next();
    if (raft.role == LEADER)
        crash_point("committed");
}
