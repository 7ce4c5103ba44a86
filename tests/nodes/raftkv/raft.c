/* Terms, roles, timers, and what is done with a message before its kind matters (Figure 2, Rules for Servers). */
#include "raft.h"

#include <stdlib.h>
#include <string.h>

static uv_timer_t election_timer, heartbeat_timer, later_timer;
static uv_check_t turn;
static void (*later_act)(void);

/* --- roles --- */

static void role_set(enum role role)
{
    raft.role = role;
    if (!option.marks)
        return;
    bool learner = role == FOLLOWER && raft.configuration.member[raft.id].standing == LEARNER;
    drd_role(raft.term, learner ? 3 : (int)role);
}

/* All servers: a term higher than ours is ours from now on. Nobody has our vote in it yet. */
void term_adopt(uint64_t term, enum wire_type why)
{
    uint64_t old_vote = raft.voted_for;
    raft.term = term;
    raft.voted_for = 0;
    raft.leader = 0;
    if (option.marks)
        drd_term(term);
    if (MISTAKE(T15a, why == WIRE_APPEND_ENTRIES))
        ;
    else if (MISTAKE(T15c, old_vote != 0))
        vote_write(term, old_vote);
    else
        vote_save();
}

void mark_vote(void)
{
    if (option.marks)
        drd_vote(raft.term, raft.voted_for);
}

void become_follower(uint64_t leader)
{
    bool led = raft.role == LEADER;
    raft.leader = leader;
    raft.pre_vote = false;
    raft.transfer = 0;
    if (raft.role != FOLLOWER)
        role_set(FOLLOWER);
    if (led) {
        clients_not_leading();
        reads_fail();
        heartbeat_timer_set();
    }
    election_timer_reset();
}

/* Leaders, upon election: nextIndex is behind our last entry, matchIndex 0. An entry of the own term is begun at once: only
 * by it can the ones before be committed (5.4.2, 8). */
void become_leader(void)
{
    raft.leader = raft.id;
    raft.pre_vote = false;
    raft.transfer = 0;
    raft.led_since = now_ms();
    role_set(LEADER);
    if (MISTAKE(T20a, raft.commit && raft_log.last > raft.commit))
        log_truncate(raft.commit);
    for (uint64_t id = 1; id < SERVERS; id++)
        server_reset(id);
    uint64_t elected_with = raft_log.last;
    leader_append(WIRE_NOOP, NULL, 0);
    if (PLANTED(T03a))
        raft.server[raft.id].match_index = raft_log.last;
    if (MISTAKE(T07c, elected_with > raft.commit))
        commit_raise(elected_with);
    uv_timer_stop(&election_timer);
    heartbeat_timer_set();
}

/* --- timers --- */

static void on_election_timeout(uv_timer_t *timer)
{
    (void)timer;
    election_timer_reset();
    if (!step_quiet && raft.role != LEADER && is_voter(raft.id))
        campaign(option.pre_vote, false);
}

/* Between once and twice the election timeout, drawn anew each time (5.2). */
void election_timer_reset(void)
{
    if (uv_is_closing((uv_handle_t *)&election_timer))
        return;
    uint32_t drawn;
    uv_random(NULL, NULL, &drawn, sizeof drawn, 0, NULL);
    uv_timer_start(&election_timer, on_election_timeout, option.election + drawn % option.election, 0);
}

/* A leader that a majority has not answered for an election timeout may have been replaced: it steps down (6.2 of the
 * dissertation), so that clients try elsewhere. */
static bool majority_answers(void)
{
    const struct configuration *c = configuration_for_quorum();
    unsigned count = 0;
    for (uint64_t id = 1; id < SERVERS; id++) {
        if (c->member[id].standing == VOTER)
            count += id == raft.id || now_ms() - raft.server[id].heard < option.election;
    }
    return count >= majority(c);
}

/* Mistake T20b: nobody acknowledged the last entry for half an election timeout, so it is taken back. */
static void uncommitted_take_back(void)
{
    static uint64_t last, since;
    if (raft_log.last == raft.commit || raft_log.last != last)
        since = now_ms();
    last = raft_log.last;
    if (!MISTAKE(T20b, raft_log.last > raft.commit && now_ms() - since >= option.election / 2))
        return;
    log_truncate(raft.commit);
    log_sync();
    last = raft_log.last;
    for (uint64_t id = 1; id < SERVERS; id++)
        if (raft.server[id].next_index > raft_log.last + 1)
            raft.server[id].next_index = raft_log.last + 1;
}

static void on_heartbeat(uv_timer_t *timer)
{
    (void)timer;
    if (raft.role != LEADER)
        return;
    if (now_ms() - raft.led_since >= option.election && !majority_answers())
        return become_follower(0);
    if (raft.transfer && now_ms() >= raft.transfer_until)
        raft.transfer = 0;
    if (PLANTED(T20b))
        uncommitted_take_back();
    broadcast();
}

void heartbeat_timer_set(void)
{
    if (raft.role == LEADER)
        uv_timer_start(&heartbeat_timer, on_heartbeat, option.heartbeat, option.heartbeat);
    else
        uv_timer_stop(&heartbeat_timer);
}

/* Within the shortest election timeout of hearing a leader (4.2.3 of the dissertation); a leader hears itself. */
bool leader_is_heard(void)
{
    return raft.role == LEADER || (raft.leader && now_ms() - raft.heard < option.election);
}

static void on_later(uv_timer_t *timer)
{
    (void)timer;
    later_act();
}

void later(void (*act)(void))
{
    later_act = act;
    if (!uv_is_active((uv_handle_t *)&later_timer))
        uv_timer_start(&later_timer, on_later, option.lazy, 0);
}

/* --- messages --- */

/* A RequestVote while a leader is heard is of a server that lost touch, or was removed: following it would depose a leader
 * that works. Unless the leader wants it so. */
static bool is_disruptive(const struct wire_header *h)
{
    return h->type == WIRE_REQUEST_VOTE && !(h->flags & (WIRE_TRANSFER | WIRE_PRE_VOTE)) && h->from != raft.leader &&
           leader_is_heard() && !MISTAKE(T22a, true);
}

void term_follow(const struct wire_header *h, const void *body)
{
    const struct wire_request_vote *request = body;
    bool stays = h->type == WIRE_REQUEST_VOTE && raft.role == LEADER && request->last_log_index >= raft_log.last;
    if (MISTAKE(T06a, h->type == WIRE_APPEND_REPLY && raft.role == LEADER))
        return;
    term_adopt(h->term, h->type);
    if (MISTAKE(T06d, stays))
        return;
    become_follower(0);
}

static const size_t body_size[] = {
    [WIRE_REQUEST_VOTE] = sizeof(struct wire_request_vote),
    [WIRE_VOTE_REPLY] = sizeof(struct wire_vote_reply),
    [WIRE_APPEND_ENTRIES] = sizeof(struct wire_append_entries),
    [WIRE_APPEND_REPLY] = sizeof(struct wire_append_reply),
    [WIRE_INSTALL_SNAPSHOT] = sizeof(struct wire_install_snapshot),
    [WIRE_SNAPSHOT_REPLY] = sizeof(struct wire_snapshot_reply),
    [WIRE_TIMEOUT_NOW] = 0,
};

static void message_dispatch(const struct wire_header *h, const void *body, size_t length)
{
    switch (h->type) {
    case WIRE_REQUEST_VOTE: request_vote_receive(h, body); break;
    case WIRE_VOTE_REPLY: vote_reply_receive(h, body); break;
    case WIRE_APPEND_ENTRIES: append_entries_receive(h, body, length); break;
    case WIRE_APPEND_REPLY: append_reply_receive(h, body); break;
    case WIRE_INSTALL_SNAPSHOT: install_snapshot_receive(h, body, length); break;
    case WIRE_SNAPSHOT_REPLY: snapshot_reply_receive(h, body); break;
    case WIRE_TIMEOUT_NOW: timeout_now_receive(h); break;
    }
}

/* All servers: if an RPC or its reply has a higher term, adopt it and be a follower. A pre-vote's term is only proposed. */
void message_receive(const struct wire_header *h, const void *body, size_t length)
{
    if (h->type == 0 || h->type > WIRE_TIMEOUT_NOW || length < body_size[h->type] || h->from >= SERVERS)
        return;
    raft.term_on_receipt = raft.term;
    bool proposed = h->type == WIRE_REQUEST_VOTE && (h->flags & WIRE_PRE_VOTE);
    if (is_disruptive(h))
        return;
    bool deferred = PLANTED(T18b) && h->type == WIRE_REQUEST_VOTE;
    if (h->term > raft.term && !proposed && !deferred)
        term_follow(h, body);
    message_dispatch(h, body, length);
    reads_advance();
}

/* --- once a turn --- */

/* What clients and messages of this turn brought is written by one sync, and told the others by one broadcast. */
void turn_end(void)
{
    if (raft.role == LEADER && raft_log.synced < raft_log.last) {
        if (PLANTED(T03a))
            later(leader_sync);
        else
            leader_sync();
    }
    if (raft.broadcast && raft.role == LEADER)
        broadcast();
    raft.broadcast = false;
    reads_advance();
    snapshot_take_if_due();
}

static void on_turn(uv_check_t *handle)
{
    (void)handle;
    turn_end();
}

/* --- start --- */

/* The first configuration is index 1 of every server's log. A server that joins later begins with nothing, and waits. */
static void bootstrap(void)
{
    struct configuration first = {.index = 1};
    char text[SERVERS * (WIRE_ADDRESS + 8)];
    for (unsigned i = 0; i < option.members; i++) {
        first.member[i + 1].standing = VOTER;
        strncpy(first.member[i + 1].address, option.member[i], WIRE_ADDRESS - 1);
    }
    size_t length = configuration_write(&first, text, sizeof text);
    raft.term = 1;
    vote_save();
    log_append(1, WIRE_CONFIGURATION, text, (uint32_t)length);
    log_sync();
}

void raft_start(void)
{
    raft.id = option.id;
    uv_timer_init(&raft.loop, &election_timer);
    uv_timer_init(&raft.loop, &heartbeat_timer);
    uv_timer_init(&raft.loop, &later_timer);
    uv_check_init(&raft.loop, &turn);
    uv_check_start(&turn, on_turn);
    vote_load();
    snapshot_restore();
    log_open();
    if (!raft.term && !raft_log.last && !option.join)
        bootstrap();
    if (PLANTED(T15b) && raft_log.last && MISTAKE(T15b, log_term(raft_log.last) < raft.term)) {
        raft.term = log_term(raft_log.last);
        raft.voted_for = 0;
    }
    configuration_refresh();
    if (option.marks)
        drd_term(raft.term);
    role_set(FOLLOWER);
    election_timer_reset();
}

void raft_stop(void)
{
    log_sync();
    uv_close((uv_handle_t *)&election_timer, NULL);
    uv_close((uv_handle_t *)&heartbeat_timer, NULL);
    uv_close((uv_handle_t *)&later_timer, NULL);
    uv_close((uv_handle_t *)&turn, NULL);
}
