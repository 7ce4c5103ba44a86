/* Raft events as lines of JSON, in the form that etcd's raft library logs and its TLA+ trace validation reads
 * (etcd-io/raft, state_trace.go and tla/Traceetcdraft.tla): one file, all nodes, causes before effects.
 *
 * The form has no word for "not known": what was not seen of a node's state is 0 or empty. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/export.h"
#include "export/words.h"
#include "util/json.h"

struct tla {
    const struct export_run *run;
    struct cast cast;
    struct track track;
    char (*members)[2][256]; /* by node: before the change at hand */
    struct flow_at at;
    FILE *out;
    uint64_t events, left_out;
    bool failed;
};

static const char *id_of(const struct tla *x, size_t node)
{
    const char *id = x->track.node[node].id;
    return *id ? id : x->cast.word[node];
}

/* Numbers as numbers: TLC reads nothing else. What is beyond its integers cannot be a term or an index of a real run. */
static void put_number(struct json_writer *j, const char *key, uint64_t value)
{
    jw_put_uint(j, key, value < INT32_MAX ? value : INT32_MAX);
}

static void put_ids(struct json_writer *j, const char *ids)
{
    jw_array(j);
    for (const char *p = ids, *end; *p; p = end + (*end == ' ')) {
        end = p + strcspn(p, " ");
        if (end > p)
            jw_bytes(j, p, (size_t)(end - p));
    }
    jw_end(j);
}

static void event_begin(struct tla *x, struct json_writer *j, const char *name, size_t node)
{
    static const char *const roles[] = {"StateFollower", "StateCandidate", "StateLeader"};
    const struct track_node *n = &x->track.node[node];
    char event[CAST_EVENT];
    jw_init(j, x->out);
    jw_object(j);
    jw_put_string(j, "tag", "trace");
    jw_put_string(j, "drd", cast_event(&x->cast, x->at.process, x->at.sequence, event));
    jw_key(j, "event");
    jw_object(j);
    jw_put_string(j, "name", name);
    jw_put_string(j, "nid", id_of(x, node));
    jw_key(j, "state");
    jw_object(j);
    put_number(j, "term", n->term);
    jw_put_string(j, "vote", n->vote_term == n->term && n->vote[0] ? n->vote : "0");
    put_number(j, "commit", n->commit);
    jw_end(j);
    jw_put_string(j, "role", roles[n->role]);
    put_number(j, "log", n->last);
    jw_key(j, "conf");
    jw_array(j);
    put_ids(j, x->members[node][0]);
    put_ids(j, x->members[node][1]);
    jw_end(j);
    x->events++;
}

static void event_end(struct json_writer *j)
{
    jw_end(j);
    jw_end(j);
}

/* --- messages --- */

/* The word of etcd's protocol for a message; NULL: it has none that the traces know. */
static const char *type_of(const struct raft_message *m)
{
    if (m->pre_vote)
        return NULL;
    switch (m->type) {
    case RAFT_REQUEST_VOTE: return "MsgVote";
    case RAFT_REQUEST_VOTE_RESULT: return "MsgVoteResp";
    case RAFT_APPEND_ENTRIES: return strcmp(m->name, "MsgHeartbeat") ? "MsgApp" : "MsgHeartbeat";
    case RAFT_APPEND_ENTRIES_RESULT: return strcmp(m->name, "MsgHeartbeatResp") ? "MsgAppResp" : "MsgHeartbeatResp";
    case RAFT_INSTALL_SNAPSHOT: return "MsgSnap";
    case RAFT_INSTALL_SNAPSHOT_RESULT: return "MsgAppResp";
    default: return NULL;
    }
}

static const char *action_of(const struct raft_message *m, bool sent)
{
    switch (m->type) {
    case RAFT_REQUEST_VOTE: return sent ? "SendRequestVoteRequest" : "ReceiveRequestVoteRequest";
    case RAFT_REQUEST_VOTE_RESULT: return sent ? "SendRequestVoteResponse" : "ReceiveRequestVoteResponse";
    case RAFT_APPEND_ENTRIES: case RAFT_INSTALL_SNAPSHOT:
        return sent ? "SendAppendEntriesRequest" : "ReceiveAppendEntriesRequest";
    default: return sent ? "SendAppendEntriesResponse" : "ReceiveAppendEntriesResponse";
    }
}

static void message_event(struct tla *x, const struct raft_fact *fact, size_t node)
{
    const struct raft_message *m = fact->message;
    const char *type = type_of(m);
    struct json_writer j;
    if (!type) {
        x->left_out += m->type != RAFT_CLIENT_REQUEST && m->type != RAFT_CLIENT_RESULT;
        return;
    }
    bool snapshot = m->type == RAFT_INSTALL_SNAPSHOT, asks = m->type == RAFT_REQUEST_VOTE || m->type == RAFT_APPEND_ENTRIES;
    bool votes = m->type == RAFT_REQUEST_VOTE_RESULT, result = !asks && !snapshot;
    event_begin(x, &j, action_of(m, fact->kind == RAFT_FACT_SENT), node);
    jw_key(&j, "msg");
    jw_object(&j);
    jw_put_string(&j, "type", type);
    put_number(&j, "term", m->term);
    jw_put_string(&j, "from", m->from[0] ? m->from : "0");
    jw_put_string(&j, "to", m->to[0] ? m->to : "0");
    put_number(&j, "entries", snapshot ? m->prev_index : asks ? m->entries : 0);
    put_number(&j, "logTerm", asks ? m->prev_term : 0);
    put_number(&j, "index", asks ? m->prev_index : result && !votes ? m->match : 0);
    put_number(&j, "commit", m->type == RAFT_APPEND_ENTRIES ? m->commit : 0);
    jw_put_string(&j, "vote", "0");
    jw_put_bool(&j, "reject", result && !m->success);
    put_number(&j, "rejectHint", result && !votes && !m->success ? m->match : 0);
    jw_end(&j);
    event_end(&j);
}

/* --- changes --- */

static void plain_event(struct tla *x, const char *name, size_t node)
{
    struct json_writer j;
    event_begin(x, &j, name, node);
    event_end(&j);
}

static void members_event(struct tla *x, const struct track_change *c)
{
    struct json_writer j;
    event_begin(x, &j, "ApplyConfChange", c->at);
    jw_key(&j, "prop");
    jw_object(&j);
    jw_key(&j, "cc");
    jw_object(&j);
    jw_key(&j, "newconf");
    put_ids(&j, c->node->members[0]);
    jw_end(&j);
    jw_end(&j);
    event_end(&j);
    memcpy(x->members[c->at], c->node->members, sizeof x->members[c->at]);
}

static void on_change(void *context, const struct track_change *c)
{
    struct tla *x = context;
    bool leads = c->node->role == TRACK_IS_LEADER;
    if (!c->node->speaks) {
        memcpy(x->members[c->at], c->node->members, sizeof x->members[c->at]); /* read back at its start */
        return;
    }
    switch (c->kind) {
    case TRACK_SPEAKS: plain_event(x, "InitState", c->at); break;
    case TRACK_FOLLOWER: plain_event(x, "BecomeFollower", c->at); break;
    case TRACK_CANDIDATE: plain_event(x, "BecomeCandidate", c->at); break;
    case TRACK_LEADER: plain_event(x, "BecomeLeader", c->at); break;
    case TRACK_COMMIT:
        if (leads)
            plain_event(x, "Commit", c->at);
        break;
    case TRACK_APPEND:
        if (leads)
            plain_event(x, "Replicate", c->at);
        break;
    case TRACK_MEMBERS: members_event(x, c); break;
    default: break;
    }
}

static void on_fact(void *context, const struct raft_fact *fact)
{
    struct tla *x = context;
    int node = cast_node(&x->cast, fact->process);
    if (node < 0)
        return;
    track_begin(&x->track, fact);
    if (fact->kind == RAFT_FACT_RECEIVED && x->track.node[node].speaks)
        message_event(x, fact, (size_t)node);
    track_fact(&x->track, fact);
    if (fact->kind == RAFT_FACT_SENT && x->track.node[node].speaks)
        message_event(x, fact, (size_t)node);
}

static void on_event(void *context, const struct trace_event *event)
{
    struct tla *x = context;
    x->at = flow_at(event);
}

static bool tla_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    struct tla x = {.run = run, .out = out};
    const struct feed_listener listener = {
        .context = &x, .out = out, .failed = &x.failed, .event = on_event, .fact = on_fact,
    };
    bool good = cast_init(&x.cast, run->process, run->processes) && track_init(&x.track, &x.cast, on_change, &x) &&
                (x.members = calloc(x.cast.nodes + 1, sizeof *x.members));
    if (!good)
        error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && feed_run(run->store, &x.cast, &listener, e);
    result->events = x.events;
    if (x.left_out)
        snprintf(result->note, sizeof result->note,
                 "%" PRIu64 " ends of messages are left out: pre-votes and others that the traces of etcd have no word for",
                 x.left_out);
    free(x.members);
    track_fini(&x.track);
    cast_fini(&x.cast);
    return good;
}

const struct export_format export_tla = {
    .name = "tla",
    .nothing = "no Raft in this run: no message, file or mark that DRD knows as such",
    .write = tla_write,
};
