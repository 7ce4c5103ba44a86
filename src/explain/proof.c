/* A proof in a run: fact "proof", one JSON object. */
#include "explain/proof.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "store/store.h"

#define KEY "proof"
#define LENGTH_MOST (256 * 1024)

const char *const proof_state_names[PROOF_STATES] = {
    [PROOF_NONE] = "none", [PROOF_PROVED] = "proved", [PROOF_HOLDS] = "holds", [PROOF_OPEN] = "open"};

/* ---- writing ---- */

static void count_json(struct json_writer *j, const char *key, const struct proof_count *c)
{
    jw_key(j, key);
    jw_object(j);
    jw_put_uint(j, "runs", c->runs);
    jw_put_uint(j, "violated", c->same);
    jw_put_uint(j, "gone", c->gone);
    jw_put_uint(j, "other", c->other);
    jw_put_uint(j, "not_judged", c->open);
    jw_put_uint(j, "rule_broken", c->broke);
    jw_put_uint(j, "passed", c->passed);
    jw_end(j);
}

static void trials_json(struct json_writer *j, const struct proof *p)
{
    jw_key(j, "tried");
    jw_array(j);
    for (size_t i = 0; i < p->trials; i++) {
        const struct proof_trial *t = &p->trial[i];
        jw_object(j);
        jw_put_string(j, "option", *t->option ? t->option : NULL);
        jw_put_string(j, "text", t->text);
        jw_put_bool(j, "decision", t->decision);
        count_json(j, "changed", &t->changed);
        count_json(j, "unchanged", &t->unchanged);
        jw_end(j);
    }
    jw_end(j);
}

static void points_json(struct json_writer *j, const struct proof *p)
{
    jw_key(j, "decided");
    jw_array(j);
    for (size_t i = 0; i < p->points; i++) {
        jw_object(j);
        jw_put_uint(j, "step", p->point[i].step);
        jw_put_string(j, "event", *p->point[i].event ? p->point[i].event : NULL);
        count_json(j, "continuations", &p->point[i].count);
        jw_end(j);
    }
    jw_end(j);
}

void proof_json(const struct proof *p, struct json_writer *j)
{
    char words[2 * PROOF_WORDS];
    proof_words(p, words, sizeof words);
    jw_object(j);
    jw_put_string(j, "state", proof_state_names[p->state]);
    jw_put_string(j, "text", words);
    jw_put_uint(j, "times", p->times);
    jw_put_bool(j, "stopped", p->stopped);
    jw_put_string(j, "cause", p->cause);
    jw_put_string(j, "fingerprint", p->fingerprint);
    jw_key(j, "proving");
    if (p->state == PROOF_PROVED)
        jw_uint(j, p->proving);
    else
        jw_null(j);
    trials_json(j, p);
    points_json(j, p);
    jw_end(j);
}

static char *proof_text(const struct proof *p)
{
    char *text = NULL;
    size_t size;
    struct json_writer j;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    jw_init(&j, out);
    proof_json(p, &j);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* A run is opened for reading by setting query_only, where its file can be written: that is lifted for so long. */
bool proof_keep(struct store *s, const struct proof *p)
{
    sqlite3 *db = store_database(s);
    struct drd_error e = {0};
    char *text = sqlite3_db_readonly(db, "main") ? NULL : proof_text(p);
    if (!text)
        return false;
    bool good = sqlite3_exec(db, "PRAGMA query_only=0", NULL, NULL, NULL) == SQLITE_OK && store_fact_set(s, KEY, text, &e);
    sqlite3_exec(db, "PRAGMA query_only=1", NULL, NULL, NULL);
    free(text);
    return good;
}

/* ---- reading: the file may be anybody's ---- */

static unsigned number(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value < 0 || value > 1000000 ? 0 : (unsigned)value;
}

static void text_get(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, size, "%s", text ? text : "");
}

static struct proof_count count_get(const json_t *object, const char *key)
{
    const json_t *c = json_object_get(object, key);
    return (struct proof_count){number(c, "runs"),       number(c, "violated"),    number(c, "gone"),  number(c, "other"),
                                number(c, "not_judged"), number(c, "rule_broken"), number(c, "passed")};
}

static void trials_get(struct proof *p, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && p->trials < PROOF_TRIALS; i++) {
        const json_t *one = json_array_get(list, i);
        struct proof_trial *t = &p->trial[p->trials++];
        text_get(one, "option", t->option, sizeof t->option);
        text_get(one, "text", t->text, sizeof t->text);
        t->decision = json_is_true(json_object_get(one, "decision"));
        t->changed = count_get(one, "changed");
        t->unchanged = count_get(one, "unchanged");
    }
}

static void points_get(struct proof *p, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && p->points < PROOF_POINTS; i++) {
        const json_t *one = json_array_get(list, i);
        struct proof_point *point = &p->point[p->points++];
        point->step = number(one, "step");
        text_get(one, "event", point->event, sizeof point->event);
        point->count = count_get(one, "continuations");
    }
}

static enum proof_state state_get(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "state"));
    for (int i = 0; name && i < PROOF_STATES; i++)
        if (!strcmp(name, proof_state_names[i]))
            return (enum proof_state)i;
    return PROOF_NONE;
}

static bool proof_get(struct proof *p, const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    p->state = state_get(object);
    p->times = number(object, "times");
    p->stopped = json_is_true(json_object_get(object, "stopped"));
    text_get(object, "cause", p->cause, sizeof p->cause);
    text_get(object, "fingerprint", p->fingerprint, sizeof p->fingerprint);
    trials_get(p, json_object_get(object, "tried"));
    points_get(p, json_object_get(object, "decided"));
    p->proving = number(object, "proving");
    json_decref(object);
    return p->state != PROOF_NONE && (p->state != PROOF_PROVED || p->proving < p->trials);
}

/* With other rules, another event may be the cause: what was proved of the old one is not said of that. */
static bool is_about(const struct proof *p, const struct verdict *v)
{
    struct verdict_fingerprint f;
    char event[sizeof p->cause], print[sizeof p->fingerprint];
    if (!v->cause.rule_break || !verdict_fingerprint(v, &f))
        return false;
    verdict_event(v, &v->cause.rule_break->at, event, sizeof event);
    snprintf(print, sizeof print, "%d:%s", f.algorithm, f.value);
    return !strcmp(event, p->cause) && !strcmp(print, p->fingerprint);
}

struct proof *proof_read(struct store *s, const struct verdict *v)
{
    struct proof *p = calloc(1, sizeof *p);
    char *text = p ? malloc(LENGTH_MOST) : NULL;
    bool good = text && store_fact(s, KEY, text, LENGTH_MOST) && proof_get(p, text) && is_about(p, v);
    free(text);
    if (good)
        return p;
    free(p);
    return NULL;
}
