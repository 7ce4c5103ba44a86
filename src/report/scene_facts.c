/* What a fact is drawn as, and what it says. */
#include <inttypes.h>
#include <string.h>

#include "report/scene.h"
#include "util/text.h"

#define ENTRY_WORDS 240
#define WORDS_OF_BODY 1024

const char *scene_peer(const struct scene_walk *w, const char *id)
{
    for (size_t i = 0; i < w->scene->lanes; i++) {
        if (w->scene->lane[i].id[0] && !strcmp(w->scene->lane[i].id, id))
            return w->scene->lane[i].name;
    }
    return id;
}

/* The lane of the node that shows the fact; NULL: it has none. */
static const struct scene_lane *scene_lane_at(const struct scene_walk *w, const struct raft_fact *f)
{
    uintptr_t lane = (uintptr_t)map_get(&w->lane_of, f->process);
    return lane && lane <= w->scene->lanes ? &w->scene->lane[lane - 1] : NULL;
}

/* --- what it is --- */

static uint8_t message_group(const struct raft_message *m, bool to_heartbeat)
{
    switch (m->type) {
    case RAFT_REQUEST_VOTE: case RAFT_REQUEST_VOTE_RESULT: case RAFT_TIMEOUT_NOW:
        return SCENE_ELECTIONS;
    case RAFT_APPEND_ENTRIES:
        return m->entries ? SCENE_ENTRIES : SCENE_HEARTBEATS;
    case RAFT_APPEND_ENTRIES_RESULT:
        return to_heartbeat && m->success ? SCENE_HEARTBEATS : SCENE_ENTRIES;
    case RAFT_INSTALL_SNAPSHOT: case RAFT_INSTALL_SNAPSHOT_RESULT:
        return SCENE_ENTRIES;
    case RAFT_CLIENT_REQUEST: case RAFT_CLIENT_RESULT:
        return SCENE_CLIENTS;
    default:
        return SCENE_NOTES;
    }
}

static struct scene_look look_message(const struct raft_fact *f, const struct scene_lane *lane)
{
    const struct raft_message *m = f->message;
    uint8_t group = message_group(m, f->kind == RAFT_FACT_SENT && lane && lane->empty_append);
    bool rare = group == SCENE_ELECTIONS || m->type == RAFT_INSTALL_SNAPSHOT || m->type == RAFT_INSTALL_SNAPSHOT_RESULT;
    return (struct scene_look){f->kind == RAFT_FACT_SENT ? SCENE_SEND : SCENE_RECEIVE, group, rare};
}

static struct scene_look look_fault(const struct raft_fact *f)
{
    const char *what = f->text ? f->text : "";
    uint8_t kind = !strcmp(what, "cut") ? SCENE_CUT : !strcmp(what, "heal") ? SCENE_HEAL : !strcmp(what, "refuse")
        ? SCENE_REFUSED
                                                                                                               : SCENE_FAULT;
    return (struct scene_look){kind, kind == SCENE_REFUSED ? SCENE_NOTES : SCENE_FAULTS, kind != SCENE_REFUSED};
}

/* What a node tells of itself again and again, in answers about its status, is a note. */
static const struct scene_look said_before = {SCENE_NOTE, SCENE_NOTES, false};

static struct scene_look look_role(const struct raft_fact *f, const struct scene_state *before)
{
    static const uint8_t kinds[] = {SCENE_FOLLOWER, SCENE_CANDIDATE, SCENE_LEADER, SCENE_FOLLOWER};
    if (before && before->role == f->role && before->term == f->term)
        return said_before;
    return (struct scene_look){kinds[f->role & 3], SCENE_ELECTIONS, true};
}

static struct scene_look look_vote(const struct scene_walk *w, const struct raft_fact *f, const struct scene_lane *lane)
{
    bool own = lane && f->peer[0] && !strcmp(scene_peer(w, f->peer), lane->name);
    return (struct scene_look){own ? SCENE_CANDIDATE : SCENE_VOTE, SCENE_ELECTIONS, true};
}

static const struct scene_state *state_before(const struct scene_walk *w, const struct scene_lane *lane)
{
    return lane && lane->last_state != SCENE_NONE ? &w->scene->state[lane->last_state] : NULL;
}

static struct scene_look look_progress(const struct raft_fact *f, const struct scene_state *before)
{
    bool commit = f->kind == RAFT_FACT_COMMIT;
    uint64_t index = commit ? f->index : f->entry.index;
    if (before && index <= (commit ? before->commit : before->applied) && (commit || !f->entry.term))
        return said_before;
    return (struct scene_look){commit ? SCENE_COMMIT : SCENE_APPLY, SCENE_ENTRIES, false};
}

static struct scene_look look_durable(const struct raft_fact *f)
{
    (void)f;
    return (struct scene_look){SCENE_DISK, SCENE_FILES, false};
}

struct scene_look scene_look(const struct scene_walk *w, const struct raft_fact *f, const struct scene_lane *lane)
{
    const struct scene_state *before = state_before(w, lane);
    if (f->again)
        return look_durable(f);
    switch (f->kind) {
    case RAFT_FACT_SENT: case RAFT_FACT_RECEIVED:
        return look_message(f, lane);
    case RAFT_FACT_TERM:
        return before && f->term <= before->term ? said_before : (struct scene_look){SCENE_TERM, SCENE_ELECTIONS, true};
    case RAFT_FACT_VOTE:
        return look_vote(w, f, lane);
    case RAFT_FACT_ROLE:
        return look_role(f, before);
    case RAFT_FACT_APPEND:
        return f->loaded ? said_before : (struct scene_look){SCENE_APPEND, SCENE_ENTRIES, false};
    case RAFT_FACT_TRUNCATE:
        return f->loaded ? said_before : (struct scene_look){SCENE_TRUNCATE, SCENE_ENTRIES, true};
    case RAFT_FACT_REWRITTEN:
        return (struct scene_look){SCENE_WRITE, SCENE_FILES, false};
    case RAFT_FACT_COMMIT: case RAFT_FACT_APPLY:
        return look_progress(f, before);
    case RAFT_FACT_SNAPSHOT:
        return (struct scene_look){SCENE_SNAPSHOT, SCENE_ENTRIES, true};
    case RAFT_FACT_CONFIGURATION:
        return (struct scene_look){SCENE_CONFIGURATION, SCENE_ENTRIES, !f->loaded};
    case RAFT_FACT_START:
        return (struct scene_look){SCENE_START, SCENE_FAULTS, true};
    case RAFT_FACT_FAULT:
        return look_fault(f);
    case RAFT_FACT_WRITE_FAILED:
        return (struct scene_look){SCENE_FAILED, SCENE_FAULTS, true};
    default:
        return said_before;
    }
}

/* --- what it says --- */

static void entry_text_of(const struct raft_entry *e, char *out, size_t size)
{
    if (e->type == 'm')
        snprintf(out, size, "a configuration");
    else if (e->type == 'n')
        snprintf(out, size, "a no-op");
    else if (e->text[0])
        text_quote(e->text, strnlen(e->text, sizeof e->text), out, size);
    else
        snprintf(out, size, "an entry");
}

/* "; 2 entries: 3 "x=A" (term 2), ..." */
static void say_entries(const struct raft_message *m, char *out, size_t size)
{
    char entry[ENTRY_WORDS];
    size_t used = (size_t)snprintf(out, size, ", %zu entr%s", m->entries, m->entries == 1 ? "y" : "ies");
    for (size_t i = 0; i < m->entries && i < 3 && used < size; i++) {
        entry_text_of(&m->entry[i], entry, sizeof entry);
        used += (size_t)snprintf(out + used, size - used, "%s%" PRIu64 " %s (term %" PRIu64 ")", i ? ", " : ": ",
                                 m->entry[i].index,
                                 entry, m->entry[i].term);
    }
    if (m->entries > 3 && used < size)
        snprintf(out + used, size - used, ", ...");
}

static void say_append(const struct raft_message *m, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, ", term %" PRIu64 ", after index %" PRIu64 " (term %" PRIu64 ")", m->term,
                                   m->prev_index,
                                   m->prev_term);
    if (used < size && m->entries)
        say_entries(m, out + used, size - used);
    else if (used < size)
        snprintf(out + used, size - used, ", no entries");
    used = strlen(out);
    if (used < size)
        snprintf(out + used, size - used, ", leaderCommit %" PRIu64, m->commit);
}

static void say_client(const struct raft_message *m, char *out, size_t size)
{
    char key[ENTRY_WORDS] = "", command[ENTRY_WORDS] = "";
    if (m->key[0])
        text_quote(m->key, strnlen(m->key, sizeof m->key), key, sizeof key);
    if (m->type == RAFT_CLIENT_REQUEST && m->entries)
        entry_text_of(&m->entry[0], command, sizeof command);
    snprintf(out, size, "%s%s%s%s%s%s", m->read ? ", a read" : "", *key ? " of " : "", key, *command ? ", command " : "",
             command,
             m->type == RAFT_CLIENT_RESULT ? m->success ? ", done" : ", not done" : "");
}

static void say_body(const struct raft_message *m, char *out, size_t size)
{
    *out = '\0';
    switch (m->type) {
    case RAFT_REQUEST_VOTE: case RAFT_TIMEOUT_NOW:
        snprintf(out, size, "%s, term %" PRIu64 ", last entry %" PRIu64 " (term %" PRIu64 ")",
                 m->pre_vote ? ", pre-vote" : "", m->term,
                 m->prev_index, m->prev_term);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        snprintf(out, size, "%s, term %" PRIu64 ": %s", m->pre_vote ? ", pre-vote" : "", m->term,
                 m->success ? "granted" : "refused");
        break;
    case RAFT_APPEND_ENTRIES:
        say_append(m, out, size);
        break;
    case RAFT_APPEND_ENTRIES_RESULT: case RAFT_INSTALL_SNAPSHOT_RESULT:
        snprintf(out, size, m->success ? ", term %" PRIu64 ": holds all up to index %" PRIu64
                 : ", term %" PRIu64 ": refused (%" PRIu64 ")",
                 m->term, m->match);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        snprintf(out, size, ", term %" PRIu64 ", up to index %" PRIu64 " (term %" PRIu64 ")", m->term, m->prev_index,
                 m->prev_term);
        break;
    case RAFT_CLIENT_REQUEST: case RAFT_CLIENT_RESULT:
        say_client(m, out, size);
        break;
    default:
        break;
    }
}

static const char *const type_names[] = {
    [RAFT_NONE] = "a message", [RAFT_REQUEST_VOTE] = "RequestVote", [RAFT_REQUEST_VOTE_RESULT] = "RequestVote result",
    [RAFT_APPEND_ENTRIES] = "AppendEntries", [RAFT_APPEND_ENTRIES_RESULT] = "AppendEntries result",
    [RAFT_INSTALL_SNAPSHOT] = "InstallSnapshot", [RAFT_INSTALL_SNAPSHOT_RESULT] = "InstallSnapshot result",
    [RAFT_TIMEOUT_NOW] = "TimeoutNow", [RAFT_OTHER] = "", [RAFT_CLIENT_REQUEST] = "a client's request",
    [RAFT_CLIENT_RESULT] = "an answer to a client",
};

static void say_message(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size)
{
    const struct raft_message *m = f->message;
    bool sent = f->kind == RAFT_FACT_SENT;
    const char *peer = scene_peer(w, sent ? m->to : m->from), *type = m->type == RAFT_OTHER ? m->name : type_names[m->type];
    char body[WORDS_OF_BODY];
    say_body(m, body, sizeof body);
    snprintf(out, size, "%s %s%s%s%s", sent ? "sends" : "receives", type, *peer ? sent ? " to " : " from " : "", peer, body);
}

/* On an arrow there is room for a few letters. */
void scene_label(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size)
{
    const struct raft_message *m = f->message;
    char entry[ENTRY_WORDS];
    (void)w;
    switch (m->type) {
    case RAFT_REQUEST_VOTE:
        snprintf(out, size, "%s t%" PRIu64, m->pre_vote ? "PreVote?" : "Vote?", m->term);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        snprintf(out, size, "%s%s t%" PRIu64, m->pre_vote ? "pre-" : "", m->success ? "vote granted" : "vote refused",
                 m->term);
        break;
    case RAFT_APPEND_ENTRIES:
        if (!m->entries) {
            snprintf(out, size, "heartbeat t%" PRIu64 ", commit %" PRIu64, m->term, m->commit);
            break;
        }
        entry_text_of(&m->entry[0], entry, sizeof entry);
        snprintf(out, size, "append %" PRIu64 "%s %s t%" PRIu64, m->entry[0].index, m->entries > 1 ? "…" : "", entry,
                 m->entry[0].term);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        snprintf(out, size, m->success ? "has %" PRIu64 : "refuses (%" PRIu64 ")", m->match);
        break;
    case RAFT_INSTALL_SNAPSHOT:
        snprintf(out, size, "snapshot to %" PRIu64, m->prev_index);
        break;
    case RAFT_CLIENT_REQUEST:
        entry_text_of(m->entries ? &m->entry[0] : &(struct raft_entry){.type = 'c'}, entry, sizeof entry);
        snprintf(out, size, "client: %s%s", m->read ? "read " : "", m->read ? m->key : entry);
        break;
    default:
        snprintf(out, size, "%s", m->type == RAFT_OTHER ? m->name : type_names[m->type]);
    }
}

/* Words in front of what is written, depending on how it is shown. */
static const char *verb(const struct raft_fact *f, const char *stated, const char *written)
{
    return f->loaded ? "reads back " : f->again ? "on disk: " : f->written || f->durable ? written : stated;
}

static void say_fault(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size)
{
    const char *what = f->text ? f->text : "fault";
    if (!strcmp(what, "refuse"))
        snprintf(out, size, "cannot reach %s: cut off", f->peer);
    else if (!strcmp(what, "cut") && f->peer[0] && scene_lane_at(w, f))
        snprintf(out, size, "is cut off from %s", f->peer);
    else
        snprintf(out, size, "%s%s%s", what, f->peer[0] ? " " : "", f->peer);
}

static void say_log(const struct raft_fact *f, char *out, size_t size)
{
    char entry[ENTRY_WORDS];
    switch (f->kind) {
    case RAFT_FACT_APPEND:
        entry_text_of(&f->entry, entry, sizeof entry);
        snprintf(out, size, "%s%" PRIu64 ": %s (term %" PRIu64 ")", verb(f, "appends ", "writes "), f->entry.index, entry,
                 f->entry.term);
        break;
    case RAFT_FACT_TRUNCATE:
        snprintf(out, size, "%sits log after index %" PRIu64, verb(f, "cuts ", "cuts "), f->index);
        break;
    case RAFT_FACT_REWRITTEN:
        snprintf(out, size, "writes its log to another file, up to index %" PRIu64, f->entry.index);
        break;
    case RAFT_FACT_COMMIT:
        snprintf(out, size, "%scommit index %" PRIu64, verb(f, "", "writes "), f->index);
        break;
    case RAFT_FACT_SNAPSHOT:
        snprintf(out, size, "%sa snapshot up to index %" PRIu64 " (term %" PRIu64 ")", verb(f, "takes ", "writes "),
                 f->index, f->term);
        break;
    default:
        snprintf(out, size, "%sconfiguration from index %" PRIu64 ": %s", verb(f, "", "writes the "), f->index,
                 f->text ? f->text : "");
    }
}

static void say_vote(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size)
{
    const char *peer = f->peer[0] ? scene_peer(w, f->peer) : "nobody";
    const struct scene_lane *own = scene_lane_at(w, f);
    if (own && !strcmp(peer, own->name) && !f->again && !f->loaded)
        snprintf(out, size, "candidate of term %" PRIu64 ", %s itself", f->term, f->written ||
                 f->durable ? "writes its vote for" : "votes for");
    else
        snprintf(out, size, "%s%s%s in term %" PRIu64, verb(f, "votes", "writes its vote"), f->loaded ||
                 f->again ? "its vote for " : " for ", peer, f->term);
}

/* What the node holds at the index that it applies. */
static void say_apply(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size)
{
    const struct scene_lane *lane = scene_lane_at(w, f);
    struct raft_node *n = lane && lane->node >= 0 && (size_t)lane->node < w->model->nodes ? &w->model->node[lane->node]
        : NULL;
    const struct raft_slot *slot = n ? raft_node_slot(n, f->entry.index) : NULL;
    char entry[ENTRY_WORDS];
    if (!f->entry.term || !slot || !slot->variant || slot->variant->term != f->entry.term) {
        snprintf(out, size, f->entry.term ? "applies index %" PRIu64 : "has applied all up to index %" PRIu64,
                 f->entry.index);
        return;
    }
    verdict_entry(slot->variant, entry, sizeof entry);
    snprintf(out, size, "applies %" PRIu64 ": %s", f->entry.index, entry);
}

void scene_words(const struct scene_walk *w, const struct raft_fact *f, char *out, size_t size)
{
    static const char *const roles[] = {"follower", "candidate", "leader", "learner"};
    *out = '\0';
    switch (f->kind) {
    case RAFT_FACT_SENT: case RAFT_FACT_RECEIVED:
        say_message(w, f, out, size);
        break;
    case RAFT_FACT_TERM:
        snprintf(out, size, "%sterm %" PRIu64, verb(f, "", "writes "), f->term);
        break;
    case RAFT_FACT_VOTE:
        say_vote(w, f, out, size);
        break;
    case RAFT_FACT_ROLE:
        snprintf(out, size, "%s of term %" PRIu64, roles[f->role & 3], f->term);
        break;
    case RAFT_FACT_APPLY:
        say_apply(w, f, out, size);
        break;
    case RAFT_FACT_NODE:
        snprintf(out, size, "states its id: %s", f->peer);
        break;
    case RAFT_FACT_START:
        snprintf(out, size, "starts%s%s", f->text && *f->text ? ": " : "", f->text ? f->text : "");
        break;
    case RAFT_FACT_FAULT:
        say_fault(w, f, out, size);
        break;
    case RAFT_FACT_WRITE_FAILED: case RAFT_FACT_TEXT:
        snprintf(out, size, "%s", f->text ? f->text : "");
        break;
    default:
        say_log(f, out, size);
    }
}
