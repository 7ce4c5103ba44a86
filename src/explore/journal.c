/* The journal: .drd/explore/NAME/journal, a line of JSON for each case. What a kill left of the last line is not read. */
#include "explore/search.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/json.h"

static const char *text_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text ? text : "";
}

/* What the writer wrote as a string because JSON's numbers are too small. */
static uint64_t number_in(const json_t *value)
{
    return json_is_string(value) ? strtoull(json_string_value(value), NULL, 10) : (uint64_t)json_integer_value(value);
}

static uint64_t number_of(const json_t *line, const char *key)
{
    return number_in(json_object_get(line, key));
}

static bool fresh_read(struct search_case *c, const json_t *line)
{
    const json_t *list = json_object_get(line, "new");
    size_t count = json_array_size(list);
    c->fresh = count && count <= EXPLORE_FEATURES ? calloc(count, sizeof *c->fresh) : NULL;
    for (size_t i = 0; c->fresh && i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        const char *hash = json_string_value(json_array_get(pair, 0));
        const char *node = json_string_value(json_array_get(pair, 2));
        c->fresh[i] = (struct explore_feature){.hash = hash ? strtoull(hash, NULL, 16) : 0, .time = number_in(json_array_get(pair, 1))};
        snprintf(c->fresh[i].node, sizeof c->fresh[i].node, "%s", node ? node : "");
        c->fresh_count = i + 1;
    }
    return true;
}

static bool case_read(struct search_case *c, const json_t *line)
{
    const char *kind = text_of(line, "kind"), *plan = text_of(line, "plan");
    size_t k = 0;
    while (k < TRIAGE_KINDS && strcmp(triage_kinds[k].id, kind))
        k++;
    if (k == TRIAGE_KINDS)
        return false;
    *c = (struct search_case){.kind = (enum triage_kind)k,
                              .number = number_of(line, "case"),
                              .seed = number_of(line, "seed"),
                              .events = number_of(line, "events"),
                              .world = number_of(line, "world")};
    snprintf(c->fingerprint, sizeof c->fingerprint, "%s", text_of(line, "fingerprint"));
    snprintf(c->fingerprint_text, sizeof c->fingerprint_text, "%s", text_of(line, "fingerprint_text"));
    snprintf(c->title, sizeof c->title, "%s", text_of(line, "title"));
    snprintf(c->story, sizeof c->story, "%s", text_of(line, "text"));
    snprintf(c->cause, sizeof c->cause, "%s", text_of(line, "cause"));
    snprintf(c->reference, sizeof c->reference, "%s", text_of(line, "reference"));
    snprintf(c->run, sizeof c->run, "%s", text_of(line, "run"));
    c->plan = *plan ? strdup(plan) : NULL;
    return fresh_read(c, line);
}

static bool journal_read(struct search *s)
{
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(s->journal_path, "re");
    bool good = true;
    while (in && good && getline(&text, &size, in) > 0) {
        struct search_case c;
        json_t *line = json_loads(text, 0, NULL);
        if (line && case_read(&c, line)) {
            for (size_t i = 0; i < c.fresh_count; i++)
                search_is_new(s, c.fresh[i].hash);
            s->started++;
            s->continued += c.plan != NULL;
            if (!c.plan && c.seed >= s->next_seed)
                s->next_seed = c.seed + 1;
            good = search_take(s, &c);
        }
        json_decref(line);
    }
    free(text);
    if (in)
        fclose(in);
    s->resumed = s->done;
    return good;
}

bool journal_open(struct search *s, struct drd_error *e)
{
    if (s->options.resume && !journal_read(s))
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    s->journal = fopen(s->journal_path, s->options.resume ? "ae" : "we");
    if (!s->journal)
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot write %s", s->journal_path);
    if (s->options.resume && s->resumed)
        fputc('\n', s->journal); /* the last line may have no end */
    return true;
}

static void put_known(struct json_writer *j, const char *key, const char *text)
{
    if (text && *text)
        jw_put_string(j, key, text);
}

bool journal_write(struct search *s, const struct search_case *c)
{
    struct json_writer j;
    char hash[24];
    jw_init(&j, s->journal);
    jw_object(&j);
    jw_put_uint(&j, "case", c->number);
    jw_put_uint(&j, "seed", c->seed);
    put_known(&j, "plan", c->plan);
    jw_put_string(&j, "kind", triage_kinds[c->kind].id);
    put_known(&j, "fingerprint", c->fingerprint);
    put_known(&j, "fingerprint_text", c->fingerprint_text);
    put_known(&j, "title", c->title);
    put_known(&j, "text", c->story);
    put_known(&j, "cause", c->cause);
    put_known(&j, "reference", c->reference);
    put_known(&j, "run", c->run);
    jw_put_uint(&j, "events", c->events);
    jw_put_uint(&j, "world", c->world);
    jw_key(&j, "new");
    jw_array(&j);
    for (size_t i = 0; i < c->fresh_count; i++) {
        snprintf(hash, sizeof hash, "%016" PRIx64, c->fresh[i].hash);
        jw_array(&j);
        jw_string(&j, hash);
        jw_uint(&j, c->fresh[i].time);
        if (*c->fresh[i].node)
            jw_string(&j, c->fresh[i].node);
        jw_end(&j);
    }
    jw_end(&j);
    jw_end(&j);
    return fflush(s->journal) == 0;
}
