/* What a simulated run followed from, as it stands in the run. */
#include "explore/again.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/environment.h"
#include "store/store.h"

/* A fact of any length. "" where there is none; NULL: out of memory. */
static char *fact_text(struct store *s, const char *key)
{
    sqlite3_stmt *q;
    char *text = NULL;
    if (sqlite3_prepare_v2(store_database(s), "SELECT value FROM fact WHERE key = ?", -1, &q, NULL) != SQLITE_OK)
        return strdup("");
    sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
    const char *found = sqlite3_step(q) == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
    text = strdup(found ? found : "");
    sqlite3_finalize(q);
    return text;
}

static bool command_read(struct shrink_origin *o, const char *text, struct drd_error *e)
{
    json_t *list = json_loads(text, 0, NULL);
    size_t count = json_array_size(list);
    bool good = count > 0;
    o->command = calloc(count + 1, sizeof *o->command);
    for (size_t i = 0; good && o->command && i < count; i++) {
        const char *word = json_string_value(json_array_get(list, i));
        good = word && (o->command[i] = strdup(word));
    }
    json_decref(list);
    return (good && o->command) || error_set(e, DRD_EXIT_CANNOT, "it does not say what it ran");
}

static bool facts_read(struct shrink_origin *o, struct store *s, struct drd_error *e)
{
    char seed[32] = "";
    if (!store_fact(s, "seed", seed, sizeof seed))
        return error_set(e, DRD_EXIT_CANNOT,
                         "not a simulated run: only those can be run again otherwise (drd simulate, drd explore)");
    o->seed = strtoull(seed, NULL, 10);
    store_fact(s, "directory", o->directory, sizeof o->directory);
    char *plan = fact_text(s, "plan"), *argv = fact_text(s, "argv"), *model = fact_text(s, "model");
    bool good = (plan && argv && model) || error_set(e, DRD_EXIT_CANNOT, "out of memory");
    good = good && command_read(o, argv, e) && plan_read(&o->plan, plan, e);
    if (good && *model) {
        o->model = model;
        model = NULL;
    }
    free(plan);
    free(argv);
    free(model);
    return good;
}

/* What re-execution needs of the environment stays in the run: another `drd simulate` reads it there. */
static void environment_find(struct shrink_origin *o, const char *path)
{
    struct drd_error e = {0};
    char **environment = environment_of(path, &e);
    if (!realpath(path, o->path))
        snprintf(o->path, sizeof o->path, "%s", path);
    if (environment)
        memcpy(o->environment, o->path, sizeof o->environment);
    environment_free(environment);
}

bool shrink_origin_counts(const struct shrink_origin *o, const char *name)
{
    struct drd_error e = {0};
    char **environment = *o->environment ? environment_of(o->environment, &e) : NULL;
    size_t length = strlen(name);
    bool found = false;
    for (char **word = environment; word && *word && !found; word++)
        if (!strncmp(*word, name, length) && (*word)[length] == '=') {
            const char *digits = *word + length + 1;
            found = *digits && !digits[strspn(digits, "0123456789")];
        }
    environment_free(environment);
    return found;
}

/* What a recording must have to be gone on from: the bytes of its streams. */
static bool recording_read(struct shrink_origin *o, struct store *s, const char *path, struct drd_error *e)
{
    if (store_fact(s, "redacted", NULL, 0))
        return error_set(e, DRD_EXIT_CANNOT, "redacted: what its processes did is not in it");
    return realpath(path, o->recording) || error_set_errno(e, DRD_EXIT_CANNOT, "it cannot be found");
}

static bool origin_read(struct shrink_origin *o, const char *path, bool recorded, struct drd_error *e)
{
    *o = (struct shrink_origin){0};
    struct store *s = store_open(path, STORE_READ, e);
    recorded = recorded && s && !store_fact(s, "seed", NULL, 0);
    bool good = s && ((recorded ? recording_read(o, s, path, e) : facts_read(o, s, e)) || error_wrap(e, "%.200s", path));
    store_close(s);
    if (good && !recorded)
        environment_find(o, path);
    const struct triage_watch watch = {.length = &o->world};
    if (good)
        triage_judge_watch(path, &watch, &o->result);
    if (good && !*o->result.fingerprint)
        good = error_set(e, DRD_EXIT_NOTHING, "%.200s: %s: there is nothing to keep while it gets smaller", path,
                         o->result.kind == TRIAGE_BROKEN ? o->result.note : "nothing went wrong in this run");
    return good;
}

bool shrink_origin_read(struct shrink_origin *o, const char *path, struct drd_error *e)
{
    return origin_read(o, path, false, e);
}

bool again_origin_read(struct shrink_origin *o, const char *path, struct drd_error *e)
{
    return origin_read(o, path, true, e);
}

void shrink_origin_fini(struct shrink_origin *o)
{
    for (size_t i = 0; o->command && o->command[i]; i++)
        free(o->command[i]);
    free(o->command);
    free(o->model);
    plan_fini(&o->plan);
    *o = (struct shrink_origin){0};
}
