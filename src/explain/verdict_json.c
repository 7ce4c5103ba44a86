#include "explain/explain.h"

#include <stdlib.h>
#include <string.h>

static void json_entry(struct json_writer *j, const struct raft_variant *e)
{
    char digest[32];
    jw_object(j);
    if (e) {
        jw_put_uint(j, "index", e->index);
        jw_put_uint(j, "term", e->term);
        jw_put_string(j, "text", e->text[0] ? e->text : NULL);
        snprintf(digest, sizeof digest, "%016lx", (unsigned long)e->digest);
        jw_put_string(j, "digest", e->digest ? digest : NULL);
    }
    jw_end(j);
}

static void json_event(struct json_writer *j, const struct verdict *v, const struct raft_side *side, size_t number,
                       const struct raft_witness *w)
{
    char event[RAFT_NODE_NAME + 32];
    verdict_event(v, w, event, sizeof event);
    jw_object(j);
    jw_put_string(j, "event", event);
    jw_put_string(j, "node", verdict_node(v, side, w));
    jw_put_uint(j, "side", number);
    jw_put_bool(j, "seen", raft_witness_seen(w));
    jw_put_string(j, "text", verdict_how(w));
    jw_end(j);
}

/* All nodes on any side, each once. */
static void json_nodes(struct json_writer *j, const struct verdict *v, const struct raft_finding *f)
{
    const char *named[RAFT_SIDES * RAFT_SIDE_WITNESSES];
    size_t count = 0;
    jw_key(j, "nodes");
    jw_array(j);
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++) {
            const char *name = verdict_node(v, &f->side[i], &f->side[i].witness[w]);
            size_t known = 0;
            while (known < count && strcmp(named[known], name) != 0)
                known++;
            if (known < count)
                continue;
            named[count++] = name;
            jw_string(j, name);
        }
    }
    jw_end(j);
}

static void json_headline(struct json_writer *j, const struct verdict *v, const struct raft_finding *f)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        verdict_headline(v, f, out);
        fclose(out);
    }
    jw_put_string(j, "text", text);
    free(text);
}

/* What a finding is, inside an object that is open. */
static void json_finding(struct json_writer *j, const struct verdict *v, const struct raft_finding *f)
{
    jw_put_string(j, "property", raft_property_names[f->property].name);
    jw_put_string(j, "reference", raft_property_names[f->property].reference);
    json_headline(j, v, f);
    jw_put_bool(j, "seen", f->seen);
    jw_key(j, "index");
    if (f->index)
        jw_uint(j, f->index);
    else
        jw_null(j);
    jw_key(j, "term");
    if (f->term)
        jw_uint(j, f->term);
    else
        jw_null(j);
    json_nodes(j, v, f);
    jw_key(j, "entries");
    jw_array(j);
    for (size_t i = 0; i < f->sides; i++)
        json_entry(j, f->side[i].variant);
    jw_end(j);
    jw_key(j, "events");
    jw_array(j);
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++)
            json_event(j, v, &f->side[i], i, &f->side[i].witness[w]);
    }
    jw_end(j);
}

static void json_verdict(struct json_writer *j, const struct verdict *v)
{
    static const char *const status[] = {
        [VERDICT_NONE] = "none", [VERDICT_VIOLATED] = "violated", [VERDICT_UNKNOWN] = "unknown"};
    jw_key(j, "verdict");
    jw_object(j);
    jw_put_string(j, "status", status[v->status]);
    if (v->finding)
        json_finding(j, v, v->finding);
    jw_end(j);
}

static void json_class(struct json_writer *j, const struct verdict *v, const struct raft_break *b)
{
    char event[RAFT_NODE_NAME + 32];
    verdict_event(v, &b->at, event, sizeof event);
    jw_put_string(j, "class", raft_classes[b->class].id);
    jw_put_string(j, "title", raft_classes[b->class].title);
    jw_put_string(j, "rule", raft_classes[b->class].rule);
    jw_put_string(j, "reference", raft_classes[b->class].reference);
    jw_put_string(j, "node", v->model->node[b->at.node].name);
    jw_put_string(j, "event", event);
    jw_put_string(j, "text", b->text);
}

static void json_chain(struct json_writer *j, const struct verdict *v)
{
    char event[RAFT_NODE_NAME + 32];
    jw_key(j, "chain");
    jw_array(j);
    for (size_t i = 0; i < v->cause.steps; i++) {
        const struct chain_step *step = &v->cause.step[i];
        verdict_event(v, &step->at, event, sizeof event);
        jw_object(j);
        jw_put_uint(j, "step", i + 1);
        jw_put_string(j, "node", v->model->node[step->at.node].name);
        jw_put_string(j, "event", event);
        jw_put_string(j, "text", step->text);
        jw_end(j);
    }
    jw_end(j);
}

static void json_frames(struct json_writer *j, const struct verdict *v)
{
    char offset[32];
    jw_key(j, "frames");
    jw_array(j);
    for (size_t i = 0; i < v->frames; i++) {
        const struct replay_frame *f = &v->frame[i];
        snprintf(offset, sizeof offset, "0x%lx", (unsigned long)f->offset);
        jw_object(j);
        jw_put_string(j, "function", f->function);
        jw_put_string(j, "file", f->file[0] ? f->file : NULL);
        jw_key(j, "line");
        if (f->line)
            jw_uint(j, f->line);
        else
            jw_null(j);
        jw_put_string(j, "object", f->object);
        jw_put_string(j, "offset", f->offset ? offset : NULL);
        jw_end(j);
    }
    jw_end(j);
    jw_put_string(j, "frames_note", v->frames_note[0] ? v->frames_note : NULL);
}

static void json_cause(struct json_writer *j, const struct verdict *v)
{
    static const char *const certainty[] = {
        [CERTAINTY_UNKNOWN] = "unknown", [CERTAINTY_LIKELY] = "likely", [CERTAINTY_KNOWN] = "known",
        [CERTAINTY_PROVED] = "proved"};
    static const char *const absent[] = {"class", "title", "rule", "reference", "node", "event", "text"};
    jw_key(j, "cause");
    jw_object(j);
    if (v->cause.rule_break)
        json_class(j, v, v->cause.rule_break);
    for (size_t i = 0; !v->cause.rule_break && i < sizeof absent / sizeof *absent; i++)
        jw_put_string(j, absent[i], NULL);
    jw_put_string(j, "certainty", certainty[v->cause.certainty]);
    jw_put_string(j, "settle", v->cause.settle[0] ? v->cause.settle : NULL);
    json_frames(j, v);
    jw_end(j);
    json_chain(j, v);
}

/* Breaks of rules on which the violation does not depend, or that nothing came of. */
static void json_breaks(struct json_writer *j, const struct verdict *v)
{
    jw_key(j, "rule_breaks");
    jw_array(j);
    for (size_t i = 0; i < v->model->breaks; i++) {
        const struct raft_break *b = &v->model->rule_break[i];
        if (b == v->cause.rule_break)
            continue;
        jw_object(j);
        json_class(j, v, b);
        jw_put_bool(j, "likely", b->likely);
        jw_put_uint(j, "times", b->count);
        jw_end(j);
    }
    jw_end(j);
}

static void json_also(struct json_writer *j, const struct verdict *v)
{
    jw_key(j, "also_seen");
    jw_array(j);
    for (size_t i = 0; i < v->model->findings; i++) {
        if (&v->model->finding[i] == v->finding)
            continue;
        jw_object(j);
        json_finding(j, v, &v->model->finding[i]);
        jw_end(j);
    }
    jw_end(j);
}

static void json_gaps(struct json_writer *j, const struct verdict *v)
{
    jw_key(j, "not_seen");
    jw_array(j);
    for (size_t i = 0; i < v->gaps; i++)
        jw_string(j, v->gap[i].text);
    jw_end(j);
}

static void json_checked(struct json_writer *j, const struct verdict *v)
{
    const struct raft_model *m = v->model;
    uint64_t terms = 0, members = 0;
    for (size_t i = 0; i < m->nodes; i++)
        members += verdict_member(v, i);
    for (size_t i = 0; i < m->clusters; i++)
        terms += m->cluster[i].terms;
    jw_key(j, "checked");
    jw_object(j);
    jw_put_uint(j, "nodes", members);
    jw_put_uint(j, "terms", terms);
    jw_put_uint(j, "messages", m->messages);
    jw_put_uint(j, "committed", m->committed);
    jw_put_uint(j, "compared", m->compared);
    jw_end(j);
}

static void json_fingerprint(struct json_writer *j, const struct verdict *v)
{
    struct verdict_fingerprint f;
    jw_key(j, "fingerprint");
    if (!verdict_fingerprint(v, &f)) {
        jw_null(j);
        return;
    }
    jw_object(j);
    jw_put_int(j, "algorithm", f.algorithm);
    jw_put_string(j, "value", f.value);
    jw_put_string(j, "text", f.text);
    jw_end(j);
}

void verdict_json(const struct verdict *v, const char *run, struct json_writer *j)
{
    jw_object(j);
    jw_put_string(j, "schema", "drd.explain/1");
    jw_put_int(j, "format", 1);
    jw_put_string(j, "run", run);
    json_verdict(j, v);
    json_cause(j, v);
    if (v->proof) {
        jw_key(j, "proof");
        proof_json(v->proof, j);
    }
    json_also(j, v);
    json_breaks(j, v);
    json_fingerprint(j, v);
    json_gaps(j, v);
    json_checked(j, v);
    jw_end(j);
}
