/* Requests: a number in the command that counts them, and clients that do nothing now and then. Delays, too: also numbers. */
#include "explore/shrinker.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/environment.h"
#include "store/store.h"

/* ---- a number in the command ---- */

/* Where in the command the number stands: "COMMANDS=200", or the word after "--commands". NULL: nowhere. */
static char **count_word(char **command, const char *name, const char **digits)
{
    size_t length = strlen(name);
    for (char **word = command; *word; word++) {
        const char *at = !strncmp(*word, name, length) && (*word)[length] == '=' ? *word + length + 1 : NULL;
        char **where = word;
        if (!at && !strcmp(*word, name) && word[1]) {
            at = word[1];
            where = word + 1;
        }
        if (at && isdigit((unsigned char)*at) && at[strspn(at, "0123456789")] == 0)
            return *digits = at, where;
    }
    return NULL;
}

bool count_is_there(char **command, const char *name)
{
    const char *digits;
    return count_word(command, name, &digits) != NULL;
}

/* "NAME=200" of the environment that the command had; owned, NULL: there is none. */
static char *count_outside(const struct shrinker *s)
{
    struct drd_error e = {0};
    char **environment = *s->from->environment ? environment_of(s->from->environment, &e) : NULL;
    const char *digits;
    char **word = environment ? count_word(environment, s->o->count, &digits) : NULL;
    char *found = word && digits > *word && digits[-1] == '=' ? strdup(*word) : NULL;
    environment_free(environment);
    return found;
}

uint64_t count_now(struct shrinker *s)
{
    const char *digits;
    if (!s->o->count || count_word(s->command, s->o->count, &digits))
        return s->o->count ? strtoull(digits, NULL, 10) : 0;
    char *word = count_outside(s);
    uint64_t value = word ? strtoull(strchr(word, '=') + 1, NULL, 10) : 0;
    free(word);
    return value;
}

/* A variable of the environment becomes a word of the command, `env COMMANDS=200 ...`, so that the run that is left says it. */
static char **command_longer(char *const *command, const char *name)
{
    size_t count = 0;
    while (command[count])
        count++;
    char **rest = command_copy(command), **longer = calloc(count + 3, sizeof *longer);
    if (rest && longer && (longer[0] = strdup("env")) && asprintf(&longer[1], "%s=0", name) > 0) {
        memcpy(longer + 2, rest, count * sizeof *rest);
        free(rest);
        return longer;
    }
    command_free(rest);
    free(longer);
    return NULL;
}

static bool count_set(struct shrinker *s, struct trial *t, uint64_t value)
{
    const char *digits;
    char *text;
    bool there = count_is_there(s->command, s->o->count);
    t->command = there ? command_copy(s->command) : command_longer(s->command, s->o->count);
    char **word = t->command ? count_word(t->command, s->o->count, &digits) : NULL;
    if (!word || asprintf(&text, "%.*s%" PRIu64, (int)(digits - *word), *word, value) < 0)
        return shrinker_memory(s), false;
    free(*word);
    *word = text;
    for (size_t i = 0; i < s->best.count; i++)
        shrinker_add(s, &t->plan, &s->best.step[i]);
    return !s->failed;
}

/* A sixteenth, a quarter, a half, three quarters of the requests, then nearly all. */
static bool count_lower(struct shrinker *s)
{
    static const unsigned parts[] = {1, 4, 8, 12, 15}; /* of 16 */
    struct trial trial[sizeof parts / sizeof *parts] = {0};
    size_t count = 0;
    uint64_t value = count_now(s), last = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !s->failed; i++) {
        uint64_t less = value * parts[i] / 16;
        if (less && less < value && less != last && count_set(s, &trial[count], less))
            count++;
        last = less;
    }
    return trials_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
}

void shrink_count(struct shrinker *s)
{
    s->goal = GOAL_EVENTS;
    while (!shrinker_over(s) && count_now(s) && count_lower(s)) {
    }
}

/* ---- clients at rest ---- */

#define CLIENTS 6         /* as many are looked at, those with most events */
#define SLICES (8 * CLIENTS) /* of their time, eight each */
#define CLIENT_EVENTS 40  /* one with less is not worth a trial */

struct slice {
    uint32_t process;
    uint64_t begin, end; /* ns of the world */
};

struct slices {
    struct slice slice[SLICES];
    uint64_t last; /* behind all that happens */
};

/* Programs that nobody named are no nodes: clients, and the script that starts all of them. */
static bool is_client(const struct store_process *p)
{
    const char *number = strrchr(p->node, '#');
    return number && number[1] && number[1 + strspn(number + 1, "0123456789")] == 0 && p->events >= CLIENT_EVENTS;
}

static int by_events(const void *a, const void *b)
{
    const struct store_process *const *x = a, *const *y = b;
    return (*x)->events != (*y)->events ? ((*x)->events < (*y)->events ? 1 : -1) : (*x)->number < (*y)->number ? -1 : 1;
}

static void slice_up(struct slices *t, size_t *count, const struct store_process *p, uint64_t zero, uint64_t until)
{
    const size_t parts = SLICES / CLIENTS;
    uint64_t begin = p->start - zero, end = p->end && p->end - zero < until ? p->end - zero : until;
    if (end < begin + 20 * MILLISECOND_NS)
        return;
    for (size_t i = 0; i < parts; i++)
        t->slice[(*count)++] = (struct slice){p->number, begin + (end - begin) * i / parts + 1,
                                              begin + (end - begin) * (i + 1) / parts + 1};
}

static size_t slices_make(struct shrinker *s, struct slices *t)
{
    struct store *store = store_open(s->path, STORE_READ, NULL);
    struct store_process *process = NULL, *client[1024];
    size_t count = 0, clients = 0, slices = 0;
    uint64_t zero = UINT64_MAX, until = s->outcome.failed ? s->outcome.failed : s->outcome.world;
    bool good = store && store_processes(store, &process, &count, NULL);
    for (size_t i = 0; good && i < count; i++) {
        zero = process[i].start < zero ? process[i].start : zero;
        if (is_client(&process[i]) && clients < sizeof client / sizeof *client)
            client[clients++] = &process[i];
    }
    qsort(client, clients, sizeof *client, by_events);
    clients = clients < CLIENTS ? clients : CLIENTS;
    for (size_t i = 0; i < clients; i++)
        slice_up(t, &slices, client[i], zero, until);
    t->last = 4 * until + SECOND_NS;
    for (size_t i = 0; i < count; i++)
        store_process_fini(&process[i]);
    free(process);
    store_close(store);
    return slices;
}

/* Slices that are left out, one step for those that touch; whoever rests to its end rests for good. */
static void rests_build(struct selection *x, const bool *kept, struct plan *out)
{
    const struct slices *t = x->data;
    for (size_t i = 0; i < x->base.count; i++)
        shrinker_add(x->s, out, &x->base.step[i]);
    for (size_t i = 0; i < x->count; i++) {
        const struct slice *first = &t->slice[i];
        if (kept[i])
            continue;
        while (i + 1 < x->count && !kept[i + 1] && t->slice[i + 1].process == first->process)
            i++;
        bool for_good = i + 1 == x->count || t->slice[i + 1].process != first->process;
        const struct plan_step rest = {.kind = PLAN_REST, .at = first->begin, .process = first->process,
                                       .value = (int64_t)(for_good ? t->last : t->slice[i].end)};
        shrinker_add(x->s, out, &rest);
    }
}

size_t shrink_rests(struct shrinker *s)
{
    struct slices *t = calloc(1, sizeof *t);
    struct selection x = {.s = s, .build = rests_build, .data = t};
    if (!t)
        return shrinker_memory(s), 0;
    x.count = slices_make(s, t);
    s->goal = GOAL_EVENTS;
    if (x.count)
        selection_run(&x);
    free(t);
    return x.count;
}

/* A client that rests and then asks may ask sooner: nodes are busy while it rests. True: one does. */
static bool rest_shorten(struct shrinker *s)
{
    static const unsigned parts[] = {1, 2, 4, 6}; /* of 8 */
    struct trial trial[DDMIN_CANDIDATES] = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->best.count; i++) {
        const struct plan_step *rest = &s->best.step[i];
        uint64_t length = rest->kind == PLAN_REST ? (uint64_t)rest->value - rest->at : 0;
        if (length < 100 * MILLISECOND_NS || (s->outcome.failed && (uint64_t)rest->value > s->outcome.failed))
            continue;
        for (size_t p = 0; p < sizeof parts / sizeof *parts && count < DDMIN_CANDIDATES; p++, count++)
            for (size_t k = 0; k < s->best.count; k++) {
                struct plan_step step = s->best.step[k];
                step.value = k == i ? (int64_t)(rest->at + length * parts[p] / 8) : step.value;
                shrinker_add(s, &trial[count].plan, &step);
            }
    }
    return trials_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
}

void shrink_rest_times(struct shrinker *s)
{
    s->goal = GOAL_EVENTS;
    while (!shrinker_over(s) && rest_shorten(s)) {
    }
}

/* ---- delays ---- */

/* Each delay halved. */
static bool delay_halve(struct shrinker *s, bool (*of)(const struct plan_step *))
{
    struct trial trial[DDMIN_CANDIDATES] = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->best.count && count < DDMIN_CANDIDATES; i++) {
        const struct plan_step *step = &s->best.step[i];
        if (!of(step) || (step->kind != PLAN_TIMER && step->kind != PLAN_DELAY) ||
            (step->value < MILLISECOND_NS && step->value > -(int64_t)MILLISECOND_NS))
            continue;
        for (size_t k = 0; k < s->best.count; k++) {
            struct plan_step other = s->best.step[k];
            other.value = k == i ? other.value / 2 : other.value;
            shrinker_add(s, &trial[count].plan, &other);
        }
        count++;
    }
    return trials_run(s, trial, s->failed ? 0 : count) < count && !s->failed;
}

void shrink_delays(struct shrinker *s, bool (*of)(const struct plan_step *))
{
    s->goal = GOAL_STEPS;
    while (!shrinker_over(s) && delay_halve(s, of)) {
    }
}
