#include "report/state.h"

#include <inttypes.h>

static void put_entry(struct json_writer *j, const struct raft_slot *slot)
{
    const struct raft_variant *v = slot->variant;
    char digest[32];
    snprintf(digest, sizeof digest, "%016" PRIx64, v->digest);
    jw_object(j);
    jw_put_uint(j, "index", v->index);
    jw_put_uint(j, "term", v->term);
    jw_put_string(j, "text", v->text[0] ? v->text : NULL);
    jw_put_string(j, "digest", v->digest ? digest : NULL);
    jw_put_bool(j, "committed", slot->committed.how != RAFT_HOW_NONE);
    jw_put_bool(j, "durable", slot->durable);
    jw_put_bool(j, "seen", raft_witness_seen(&slot->witness));
    jw_end(j);
}

static void put_log(struct json_writer *j, struct raft_node *n)
{
    uint64_t from = n->last > n->base + STATE_LOG ? n->last - STATE_LOG : n->base;
    jw_key(j, "log");
    jw_array(j);
    for (uint64_t i = from; i <= n->last && i >= from; i++) {
        const struct raft_slot *slot = raft_node_slot(n, i);
        if (slot)
            put_entry(j, slot);
    }
    jw_end(j);
}

/* What it says of itself, else what it was seen to do. */
static const char *role_of(const struct raft_node *n)
{
    static const char *const names[] = {"follower", "candidate", "leader", "learner"};
    if (n->role_term && n->role_term >= n->leading)
        return names[n->role & 3];
    return n->leading && n->leading >= n->bound ? "leader" : NULL;
}

static void put_node(struct json_writer *j, struct raft_node *n)
{
    jw_object(j);
    jw_put_string(j, "node", n->name);
    jw_put_string(j, "id", n->id[0] ? n->id : NULL);
    jw_put_uint(j, "cluster", n->cluster + 1);
    jw_put_uint(j, "incarnation", n->incarnation);
    jw_put_uint(j, "term", n->term);
    jw_put_string(j, "role", role_of(n));
    jw_put_string(j, "voted_for", n->vote[0] && n->vote_term == n->term ? n->vote : NULL);
    jw_put_uint(j, "commit", n->commit);
    jw_put_uint(j, "applied", n->applied);
    jw_put_uint(j, "snapshot", n->snapshot);
    jw_put_uint(j, "last", n->last);
    put_log(j, n);
    jw_end(j);
}

static void put_findings(struct json_writer *j, const struct raft_model *m)
{
    jw_key(j, "violations");
    jw_array(j);
    for (size_t i = 0; i < m->findings; i++) {
        jw_object(j);
        jw_put_string(j, "property", raft_property_names[m->finding[i].property].name);
        jw_put_uint(j, "index", m->finding[i].index);
        jw_end(j);
    }
    jw_end(j);
}

void state_json(struct raft_model *m, const char *run, const char *event, uint64_t time, struct json_writer *j)
{
    jw_object(j);
    jw_put_string(j, "schema", "drd.state/1");
    jw_put_string(j, "run", run);
    jw_put_string(j, "event", *event ? event : NULL);
    jw_put_uint(j, "time_ns", time);
    put_findings(j, m);
    jw_key(j, "nodes");
    jw_array(j);
    for (size_t i = 0; i < m->nodes; i++)
        put_node(j, &m->node[i]);
    jw_end(j);
    jw_end(j);
}
