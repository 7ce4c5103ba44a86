#include "report/blame.h"

#include <inttypes.h>
#include <string.h>

static uint64_t since(const struct blame_report *r, uint64_t time)
{
    return time > r->begin ? time - r->begin : 0;
}

static void put_event(const struct blame_report *r, struct json_writer *j, const char *key, const struct raft_witness *w,
                      uint64_t time)
{
    char name[128];
    verdict_event(&r->names, w, name, sizeof name);
    jw_key(j, key);
    jw_object(j);
    jw_put_string(j, "event", name);
    jw_put_string(j, "node", r->blame->model->node[w->node].name);
    jw_put_uint(j, "time_ns", since(r, time));
    jw_end(j);
}

static void put_names(struct json_writer *j, const char *key, const char *list)
{
    jw_key(j, key);
    jw_array(j);
    for (size_t length; *list; list += length + (list[length] ? 2 : 0)) {
        length = strcspn(list, ",");
        jw_bytes(j, list, length);
    }
    jw_end(j);
}

static void put_commit(struct json_writer *j, const struct blame_event *e)
{
    if (!e->term)
        return;
    jw_put_uint(j, "leader_of", e->term);
    put_names(j, "by", e->counted);
    jw_put_uint(j, "voters", e->voters);
    jw_put_bool(j, "majority", e->majority);
    jw_put_bool(j, "with_own_term", !e->alone);
}

static void put_life(const struct blame_report *r, struct json_writer *j, size_t cluster, const struct blame_event *e)
{
    struct blame_line line;
    blame_line(r, cluster, e, &line);
    jw_object(j);
    jw_put_string(j, "node", line.node);
    jw_put_string(j, "event", *line.name ? line.name : NULL);
    jw_key(j, "time_ns");
    if (*line.name)
        jw_uint(j, since(r, e->time));
    else
        jw_null(j);
    if (e->kind == BLAME_ACKNOWLEDGED) {
        jw_put_uint(j, "term", e->term);
        jw_put_string(j, "to", e->at.node != UINT16_MAX && *e->peer ? e->peer : NULL);
        if (e->by)
            jw_put_uint(j, "held_term", e->by->term);
        if (*line.got)
            put_event(r, j, "received", &e->got, e->got_time);
    } else {
        jw_put_bool(j, "seen", raft_witness_seen(&e->at));
        jw_put_string(j, "text", verdict_how(&e->at));
    }
    if (e->kind == BLAME_COMMITTED)
        put_commit(j, e);
    if (e->kind == BLAME_LOST && e->by)
        jw_put_uint(j, "replaced_by_term", e->by->term);
    jw_end(j);
}

static void put_kind(const struct blame_report *r, struct json_writer *j, const char *key, const struct raft_variant *v,
                     size_t cluster, enum blame_kind kind)
{
    jw_key(j, key);
    jw_array(j);
    for (size_t i = 0; i < r->blame->events; i++) {
        const struct blame_event *e = &r->blame->event[i];
        if (e->kind == kind && e->variant == v && blame_in_cluster(r, e, cluster))
            put_life(r, j, cluster, e);
    }
    jw_end(j);
}

static void put_origin(const struct blame_report *r, struct json_writer *j, const struct raft_variant *v, size_t cluster)
{
    const struct blame_origin o = blame_origin(r->blame, v, cluster);
    if (o.event) {
        put_event(r, j, "proposed", &o.event->at, o.event->time);
    } else {
        jw_key(j, "proposed");
        jw_null(j);
    }
    jw_put_string(j, "leader", !o.leader ? NULL : o.leader->id[0] ? o.leader->id
                                                                 : r->blame->model->node[o.leader->witness.node].name);
}

static void put_request(const struct blame_report *r, struct json_writer *j, const struct raft_variant *v)
{
    const struct blame_request *q = blame_request(r->blame, v);
    jw_key(j, "request");
    if (!q) {
        jw_null(j);
        return;
    }
    jw_object(j);
    jw_put_string(j, "id", q->id);
    jw_put_string(j, "key", *q->key ? q->key : NULL);
    jw_put_bool(j, "likely", !q->same && !q->confirmed);
    put_event(r, j, "received", &q->received, q->time);
    if (q->answered.how != RAFT_HOW_NONE)
        put_event(r, j, "answered", &q->answered, q->answered_time);
    jw_end(j);
}

static void put_holders(const struct blame_report *r, struct json_writer *j, const struct raft_variant *v, size_t cluster)
{
    jw_key(j, "at_the_end");
    jw_array(j);
    for (size_t i = 0; i < r->blame->model->nodes; i++) {
        if (r->blame->model->node[i].cluster == cluster && blame_holds(r->blame, i) == v)
            jw_string(j, r->blame->model->node[i].name);
    }
    jw_end(j);
}

static void put_entry(const struct blame_report *r, struct json_writer *j, const struct raft_variant *v, size_t cluster)
{
    char digest[32], type[2] = {v->type, 0};
    jw_object(j);
    jw_put_uint(j, "cluster", cluster + 1);
    jw_put_uint(j, "term", v->term);
    jw_put_string(j, "type", strchr("cnm", v->type) && v->type ? type : NULL);
    jw_put_string(j, "text", v->text[0] ? v->text : NULL);
    snprintf(digest, sizeof digest, "%016" PRIx64, v->digest);
    jw_put_string(j, "digest", v->digest ? digest : NULL);
    put_origin(r, j, v, cluster);
    put_request(r, j, v);
    put_kind(r, j, "held", v, cluster, BLAME_HELD);
    put_kind(r, j, "acknowledged", v, cluster, BLAME_ACKNOWLEDGED);
    put_kind(r, j, "committed", v, cluster, BLAME_COMMITTED);
    put_kind(r, j, "applied", v, cluster, BLAME_APPLIED);
    put_kind(r, j, "lost", v, cluster, BLAME_LOST);
    put_holders(r, j, v, cluster);
    jw_end(j);
}

void blame_json(const struct blame_report *r, struct json_writer *j)
{
    jw_object(j);
    jw_put_string(j, "schema", "drd.blame/1");
    jw_put_string(j, "run", r->run);
    jw_put_uint(j, "index", r->blame->index);
    jw_key(j, "entries");
    jw_array(j);
    for (size_t i = 0; i < r->blame->model->clusters; i++) {
        struct raft_variant *first = blame_has(r, i) ? raft_cluster_entries(&r->blame->model->cluster[i], r->blame->index) : NULL;
        for (const struct raft_variant *v = first; v; v = v->next)
            put_entry(r, j, v, i);
    }
    jw_end(j);
    jw_put_bool(j, "complete", !r->blame->cut);
    jw_end(j);
}
