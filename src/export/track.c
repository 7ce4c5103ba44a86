#include "export/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracking {
    struct track *track;
    struct track_node *node;
    size_t at;
    const struct raft_fact *fact;
};

static void tell(const struct tracking *t, enum track_kind kind)
{
    const struct track_change change = {kind, t->at, t->node, t->fact};
    if (t->track->change)
        t->track->change(t->track->context, &change);
}

static void copy_id(char out[RAFT_NODE_NAME], const char *id)
{
    snprintf(out, RAFT_NODE_NAME, "%s", id);
}

static void become(const struct tracking *t, enum track_role role, uint64_t term)
{
    struct track_node *n = t->node;
    bool same = n->role == role && n->term == term;
    n->role = role;
    n->term = term;
    if (!same)
        tell(t, role == TRACK_IS_LEADER ? TRACK_LEADER : role == TRACK_IS_CANDIDATE ? TRACK_CANDIDATE : TRACK_FOLLOWER);
}

static void vote(const struct tracking *t, uint64_t term, const char *id)
{
    struct track_node *n = t->node;
    if (n->vote_term == term && !strcmp(n->vote, id))
        return;
    n->vote_term = term;
    copy_id(n->vote, id);
    tell(t, TRACK_VOTE);
}

static void commit(const struct tracking *t, uint64_t index)
{
    if (index <= t->node->commit)
        return;
    t->node->commit = index;
    tell(t, TRACK_COMMIT);
}

/* A higher term makes a follower; the same one is nothing new. */
static void see_term(const struct tracking *t, uint64_t term)
{
    if (term > t->node->term)
        become(t, TRACK_IS_FOLLOWER, term);
}

/* --- messages --- */

static void sent_append(const struct tracking *t, const struct raft_message *m)
{
    struct track_node *n = t->node;
    uint64_t end = m->prev_index + m->entries;
    become(t, TRACK_IS_LEADER, m->term);
    if (m->type == RAFT_APPEND_ENTRIES && end > n->last) {
        n->last = end;
        n->last_term = m->entries && m->entry ? m->entry[m->entries - 1].term : m->prev_term;
    }
    if (m->type == RAFT_APPEND_ENTRIES)
        commit(t, m->commit);
}

static void sent_result(const struct tracking *t, const struct raft_message *m)
{
    struct track_node *n = t->node;
    see_term(t, m->term);
    if (!m->success)
        return;
    n->last = m->match > n->last ? m->match : n->last;
    commit(t, n->offered < m->match ? n->offered : m->match); /* Figure 2: min(leaderCommit, index of last new entry) */
}

/* A message of an earlier term had waited for its connection: it says what the node was. */
static void on_sent(const struct tracking *t, const struct raft_message *m)
{
    if (m->term < t->node->term)
        return;
    switch (m->type) {
    case RAFT_REQUEST_VOTE:
        if (m->pre_vote)
            return;
        become(t, TRACK_IS_CANDIDATE, m->term);
        vote(t, m->term, m->from);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        if (m->pre_vote)
            return;
        see_term(t, m->term);
        if (m->success)
            vote(t, m->term, m->to);
        break;
    case RAFT_APPEND_ENTRIES: case RAFT_INSTALL_SNAPSHOT: sent_append(t, m); break;
    case RAFT_APPEND_ENTRIES_RESULT: sent_result(t, m); break;
    default: break;
    }
}

static void on_received(const struct tracking *t, const struct raft_message *m)
{
    struct track_node *n = t->node;
    bool leader_speaks = m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT;
    if (m->pre_vote || m->type < RAFT_REQUEST_VOTE || m->type > RAFT_TIMEOUT_NOW)
        return;
    see_term(t, m->term);
    if (leader_speaks && m->term == n->term && n->role == TRACK_IS_CANDIDATE)
        become(t, TRACK_IS_FOLLOWER, m->term);
    if (m->type == RAFT_APPEND_ENTRIES && m->term == n->term)
        n->offered = m->commit;
}

/* --- what a node writes, reads back or states --- */

/* Files tell of an entry, and marks perhaps once more. One of a higher term replaces what stood there, and all after it. */
static void on_append(const struct tracking *t, const struct raft_entry *e)
{
    struct track_node *n = t->node;
    bool replaces = e->index <= n->shown && e->term > n->shown_term;
    if (e->index <= n->shown && !replaces)
        return;
    n->shown = e->index;
    n->shown_term = e->term;
    if (replaces || e->index >= n->last) {
        n->last = e->index;
        n->last_term = e->term;
    }
    if (!t->fact->loaded)
        tell(t, TRACK_APPEND);
}

static void on_truncate(const struct tracking *t, uint64_t index)
{
    if (index >= t->node->last)
        return;
    t->node->last = t->node->shown = index;
    t->node->last_term = t->node->shown_term = 0;
    if (!t->fact->loaded)
        tell(t, TRACK_TRUNCATE);
}

static void on_apply(const struct tracking *t)
{
    uint64_t index = t->fact->entry.index ? t->fact->entry.index : t->fact->index;
    if (index <= t->node->applied && !t->fact->entry.term)
        return;
    t->node->applied = index;
    if (!t->fact->loaded)
        tell(t, TRACK_APPLY);
}

/* "1 2 3|1 2": the newer one first, as far as there is room. */
static void on_members(const struct tracking *t)
{
    const char *text = t->fact->text ? t->fact->text : "", *bar = strchr(text, '|');
    char now[2][sizeof t->node->members[0]];
    snprintf(now[0], sizeof now[0], "%s", bar ? bar + 1 : text);
    snprintf(now[1], sizeof now[1], "%.*s", bar ? (int)(bar - text) : 0, text);
    if (!strcmp(now[0], t->node->members[0]) && !strcmp(now[1], t->node->members[1]))
        return;
    memcpy(t->node->members, now, sizeof now);
    tell(t, TRACK_MEMBERS);
}

static void on_role(const struct tracking *t, const struct raft_fact *f)
{
    if (f->role == 2)
        become(t, TRACK_IS_LEADER, f->term);
    else if (f->role == 1)
        become(t, TRACK_IS_CANDIDATE, f->term);
    else
        become(t, TRACK_IS_FOLLOWER, f->term);
}

static void on_own(const struct tracking *t, const struct raft_fact *f)
{
    switch (f->kind) {
    case RAFT_FACT_TERM:
        if (f->loaded)
            t->node->term = f->term;
        else
            see_term(t, f->term);
        break;
    case RAFT_FACT_VOTE:
        if (f->peer[0])
            vote(t, f->term, f->peer);
        break;
    case RAFT_FACT_ROLE: on_role(t, f); break;
    case RAFT_FACT_APPEND: on_append(t, &f->entry); break;
    case RAFT_FACT_TRUNCATE: on_truncate(t, f->index); break;
    case RAFT_FACT_COMMIT: commit(t, f->index); break;
    case RAFT_FACT_APPLY: on_apply(t); break;
    case RAFT_FACT_SNAPSHOT:
        t->node->last = f->index > t->node->last ? f->index : t->node->last;
        if (!f->loaded)
            tell(t, TRACK_SNAPSHOT);
        break;
    case RAFT_FACT_CONFIGURATION: on_members(t); break;
    default: break;
    }
}

/* --- */

/* What is volatile is forgotten (Figure 2, State); what is not comes back from its files. */
static void restart(struct track_node *n, uint32_t incarnation)
{
    if (n->incarnation == incarnation)
        return;
    n->incarnation = incarnation;
    n->speaks = false;
    n->role = TRACK_IS_FOLLOWER;
    n->commit = n->applied = n->offered = 0;
}

static bool is_raft(const struct raft_fact *f)
{
    if (f->message)
        return f->message->type >= RAFT_REQUEST_VOTE && f->message->type <= RAFT_TIMEOUT_NOW;
    return f->kind <= RAFT_FACT_CONFIGURATION && f->kind != RAFT_FACT_SENT && f->kind != RAFT_FACT_RECEIVED && !f->loaded;
}

static bool tracking_init(struct tracking *t, struct track *track, const struct raft_fact *f)
{
    int at = cast_node(track->cast, f->process);
    if (at < 0)
        return false;
    *t = (struct tracking){track, &track->node[at], (size_t)at, f};
    return true;
}

void track_begin(struct track *track, const struct raft_fact *f)
{
    struct tracking t;
    if (!tracking_init(&t, track, f))
        return;
    restart(t.node, cast_process(track->cast, f->process)->incarnation);
    if (f->kind == RAFT_FACT_NODE)
        copy_id(t.node->id, f->peer);
    if (is_raft(f) && !t.node->speaks) {
        t.node->speaks = true;
        tell(&t, TRACK_SPEAKS);
    }
}

void track_fact(struct track *track, const struct raft_fact *f)
{
    struct tracking t;
    track_begin(track, f);
    if (!tracking_init(&t, track, f) || f->again) /* was told when it was written */
        return;
    if (f->kind == RAFT_FACT_SENT)
        on_sent(&t, f->message);
    else if (f->kind == RAFT_FACT_RECEIVED)
        on_received(&t, f->message);
    else
        on_own(&t, f);
}

bool track_init(struct track *t, const struct cast *cast, void (*change)(void *context, const struct track_change *change),
                void *context)
{
    *t = (struct track){.cast = cast, .change = change, .context = context};
    t->node = calloc(cast->nodes + 1, sizeof *t->node);
    return t->node != NULL;
}

void track_fini(struct track *t)
{
    free(t->node);
    t->node = NULL;
}
