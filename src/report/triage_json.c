/* For programs: docs/triage.schema.json. */
#include "report/triage.h"

#include <stdlib.h>

#include "util/json.h"

static void put_known(struct json_writer *j, const char *key, const char *text)
{
    jw_put_string(j, key, *text ? text : NULL);
}

static void json_fingerprint(struct json_writer *j, const struct triage_result *r)
{
    jw_key(j, "fingerprint");
    jw_object(j);
    jw_put_string(j, "value", r->fingerprint);
    jw_put_int(j, "algorithm", strtol(r->fingerprint, NULL, 10));
    jw_put_string(j, "text", r->fingerprint_text);
    jw_end(j);
}

static void json_run(struct json_writer *j, const struct triage_run *run)
{
    const struct triage_result *r = &run->result;
    jw_object(j);
    jw_put_string(j, "run", run->name);
    jw_put_string(j, "path", run->path);
    jw_put_string(j, "kind", triage_kinds[r->kind].id);
    put_known(j, "fingerprint", r->fingerprint);
    put_known(j, "started", r->started);
    put_known(j, "command", r->command);
    put_known(j, "commit", r->commit);
    jw_key(j, "exit_status");
    if (r->exit_status < 0)
        jw_null(j);
    else
        jw_int(j, r->exit_status);
    jw_put_uint(j, "events", r->events);
    jw_put_uint(j, "bytes", r->bytes);
    put_known(j, "text", r->story);
    put_known(j, "note", r->note);
    jw_put_bool(j, "checked", r->judged);
    jw_put_bool(j, "cached", run->cached);
    jw_end(j);
}

static void json_cause(struct json_writer *j, const struct triage_result *r)
{
    put_known(j, "text", r->story);
    put_known(j, "cause", r->cause);
    put_known(j, "reference", r->reference);
    put_known(j, "location", r->location);
    put_known(j, "node", r->node);
    put_known(j, "event", r->event);
}

static void json_group(struct json_writer *j, const struct triage *t, const struct triage_group *g)
{
    const struct triage_result *r = &g->least->result;
    char line[2 * PATH_MAX];
    triage_reproduce(g->least, line, sizeof line);
    jw_object(j);
    json_fingerprint(j, r);
    jw_put_string(j, "kind", triage_kinds[r->kind].id);
    jw_put_string(j, "state", triage_state(t, g));
    jw_put_bool(j, "flaky", g->flaky);
    jw_put_string(j, "title", r->title);
    json_cause(j, r);
    if (*triage_group_proof(g))
        jw_put_string(j, "proof", triage_group_proof(g));
    jw_put_uint(j, "count", g->runs);
    put_known(j, "first_seen", g->run[0]->result.started);
    put_known(j, "last_seen", g->run[g->runs - 1]->result.started);
    jw_put_string(j, "smallest", g->least->name);
    jw_put_string(j, "reproduce", line);
    jw_key(j, "runs");
    jw_array(j);
    for (size_t i = 0; i < g->runs; i++)
        jw_string(j, g->run[i]->name);
    jw_end(j);
    jw_end(j);
}

static void json_counts(struct json_writer *j, const struct triage *t)
{
    jw_key(j, "counts");
    jw_object(j);
    for (size_t k = 0; k < TRIAGE_KINDS; k++)
        jw_put_uint(j, triage_kinds[k].id, t->count[k]);
    jw_end(j);
}

void triage_json(const struct triage *t, FILE *out)
{
    struct json_writer j;
    jw_init(&j, out);
    jw_object(&j);
    jw_put_string(&j, "schema", "drd.triage/1");
    jw_put_int(&j, "exit", triage_exit(t));
    jw_put_uint(&j, "new", triage_new(t));
    json_counts(&j, t);
    jw_key(&j, "groups");
    jw_array(&j);
    for (size_t i = 0; i < t->groups; i++)
        json_group(&j, t, &t->group[i]);
    jw_end(&j);
    jw_key(&j, "runs");
    jw_array(&j);
    for (size_t i = 0; i < t->runs; i++)
        json_run(&j, &t->run[i]);
    jw_end(&j);
    jw_end(&j);
}
