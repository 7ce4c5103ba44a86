#include "report/scene.h"

#include <stdlib.h>
#include <string.h>

const char *const scene_kind_names[SCENE_KINDS] = {
    [SCENE_NOTE] = "note", [SCENE_DISK] = "disk", [SCENE_REFUSED] = "refused", [SCENE_RECEIVE] = "receive",
    [SCENE_SEND] = "send", [SCENE_WRITE] = "write", [SCENE_DRAW] = "draw", [SCENE_TIMER] = "timer",
    [SCENE_CONFIGURATION] = "configuration", [SCENE_COMMIT] = "commit", [SCENE_APPLY] = "apply", [SCENE_APPEND] = "append",
    [SCENE_SNAPSHOT] = "snapshot", [SCENE_TERM] = "term", [SCENE_VOTE] = "vote", [SCENE_FOLLOWER] = "follower",
    [SCENE_CANDIDATE] = "candidate", [SCENE_TRUNCATE] = "truncate", [SCENE_LEADER] = "leader", [SCENE_HEAL] = "heal",
    [SCENE_CUT] = "cut", [SCENE_START] = "start", [SCENE_END] = "end", [SCENE_CRASH] = "crash", [SCENE_FAILED] = "failed",
    [SCENE_FAULT] = "fault",
};

const char *const scene_group_names[SCENE_GROUPS] = {
    [SCENE_ELECTIONS] = "Elections", [SCENE_ENTRIES] = "Entries", [SCENE_HEARTBEATS] = "Heartbeats",
    [SCENE_CLIENTS] = "Clients", [SCENE_FILES] = "Disk", [SCENE_TIMERS] = "Timers", [SCENE_FAULTS] = "Faults",
    [SCENE_NOTES] = "Other",
};

/* --- storage --- */

/* Room for one more behind `count`; NULL: out of memory. */
void *scene_grow(struct scene *s, void **array, size_t count, size_t *capacity, size_t size)
{
    if (count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 256;
        void *grown = realloc(*array, wanted * size);
        if (!grown) {
            s->failed = true;
            return NULL;
        }
        *array = grown;
        *capacity = wanted;
    }
    return (char *)*array + count * size;
}

uint32_t scene_keep(struct scene *s, const char *text)
{
    size_t length = strlen(text) + 1;
    uint64_t key = map_key(text, length - 1);
    uintptr_t known = (uintptr_t)map_get(&s->texts, key);
    if (length == 1)
        return 0;
    if (known && !strcmp(s->text + known, text))
        return (uint32_t)known;
    while (s->text_size + length > s->text_capacity) {
        size_t capacity = s->text_capacity ? 2 * s->text_capacity : 65536;
        char *grown = capacity < UINT32_MAX ? realloc(s->text, capacity) : NULL;
        if (!grown) {
            s->failed = true;
            return 0;
        }
        s->text = grown;
        s->text_capacity = capacity;
    }
    if (!s->text_size)
        s->text[s->text_size++] = '\0';
    uintptr_t place = s->text_size;
    memcpy(s->text + place, text, length);
    s->text_size += length;
    s->failed |= !map_put(&s->texts, key, (void *)place);
    return (uint32_t)place;
}

const char *scene_text(const struct scene *s, uint32_t text)
{
    return s->text ? s->text + text : "";
}

uint32_t scene_event_add(struct scene *s, const struct scene_event *event)
{
    struct scene_event *e = scene_grow(s, (void **)&s->event, s->events, &s->event_capacity, sizeof *e);
    if (!e)
        return SCENE_NONE;
    *e = *event;
    return (uint32_t)s->events++;
}

/* --- where to look --- */

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void anchor_add(struct scene *s, uint64_t order)
{
    if (order)
        s->anchor[s->anchors++] = order;
}

#define BREAKS_ANCHORED 16

static bool anchors_find(struct scene *s, const struct verdict *v)
{
    const struct raft_model *m = v->model;
    s->anchor = calloc(CHAIN_STEPS + RAFT_SIDES * RAFT_SIDE_WITNESSES + BREAKS_ANCHORED + m->findings + 2,
                       sizeof *s->anchor);
    if (!s->anchor)
        return false;
    for (size_t i = 0; i < v->cause.steps; i++)
        anchor_add(s, v->cause.step[i].at.order);
    for (size_t i = 0; v->finding && i < v->finding->sides; i++) {
        for (size_t w = 0; w < v->finding->side[i].witnesses; w++)
            anchor_add(s, v->finding->side[i].witness[w].order);
    }
    for (size_t i = 0; i < m->findings; i++)
        anchor_add(s, m->finding[i].order);
    for (size_t i = 0; i < m->breaks && i < BREAKS_ANCHORED; i++)
        anchor_add(s, m->rule_break[i].at.order);
    if (!s->anchors)
        anchor_add(s, m->facts ? m->facts : 1);
    qsort(s->anchor, s->anchors, sizeof *s->anchor, by_value);
    return true;
}

/* Facts at most `near` away from an anchor. */
static uint64_t covered(const struct scene *s, uint64_t near, uint64_t facts)
{
    uint64_t sum = 0, end = 0;
    for (size_t i = 0; i < s->anchors; i++) {
        uint64_t from = s->anchor[i] > near ? s->anchor[i] - near : 1, to = s->anchor[i] + near < facts ? s->anchor[i] + near
            : facts;
        from = from > end ? from : end + 1;
        if (to >= from) {
            sum += to - from + 1;
            end = to;
        }
    }
    return sum;
}

static uint64_t near_find(const struct scene *s, uint64_t facts)
{
    uint64_t low = 0, high = facts;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (covered(s, middle, facts) <= SCENE_NEAR)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* Of facts from one to another to the nearest anchor. */
static uint64_t distance(const struct scene *s, uint64_t order, uint64_t end)
{
    size_t low = 0, high = s->anchors;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->anchor[middle] < order)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < s->anchors && s->anchor[low] <= end)
        return 0;
    uint64_t above = low < s->anchors ? s->anchor[low] - end : UINT64_MAX;
    uint64_t below = low ? order - s->anchor[low - 1] : UINT64_MAX;
    return above < below ? above : below;
}

/* --- lanes --- */

static int lane_order(const void *a, const void *b)
{
    const struct scene_lane *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void lanes_init(struct scene *s)
{
    const struct raft_model *m = s->verdict->model;
    for (size_t i = 0; i < m->nodes && s->lanes < SCENE_LANES; i++) {
        if (!verdict_member(s->verdict, i) || (s->verdict->finding && m->node[i].cluster != s->verdict->finding->cluster))
            continue;
        struct scene_lane *l = &s->lane[s->lanes++];
        *l = (struct scene_lane){.node = (int)i, .last_state = SCENE_NONE, .last_event = SCENE_NONE};
        snprintf(l->name, sizeof l->name, "%s", m->node[i].name);
        snprintf(l->id, sizeof l->id, "%s", m->node[i].id);
    }
    qsort(s->lane, s->lanes, sizeof s->lane[0], lane_order);
}

uint8_t scene_lane_of(const struct scene *s, int node)
{
    for (size_t i = 0; node >= 0 && i < s->lanes; i++) {
        if (s->lane[i].node == node)
            return (uint8_t)i;
    }
    return SCENE_OUTSIDE;
}

static const struct raft_process *process_of(const struct raft_model *m, uint32_t number)
{
    for (size_t i = 0; i < m->processes; i++) {
        if (m->process[i].number == number)
            return &m->process[i];
    }
    return NULL;
}

#define NO_LANE 254 /* a process that shows nothing that is drawn */

static uint8_t client_lane(struct scene *s, const char *name)
{
    for (size_t i = 0; i < s->lanes; i++) {
        if (s->lane[i].node < 0 && !strcmp(s->lane[i].name, name))
            return (uint8_t)i;
    }
    if (s->lanes == SCENE_LANES)
        return NO_LANE;
    struct scene_lane *l = &s->lane[s->lanes];
    *l = (struct scene_lane){.node = -1, .last_state = SCENE_NONE, .last_event = SCENE_NONE};
    snprintf(l->name, sizeof l->name, "%s", name);
    return (uint8_t)s->lanes++;
}

/* Of a process that is no node: drd fault, or a client, which is seen by what it asks. */
static uint8_t lane_elsewhere(struct scene *s, const struct raft_process *p, const struct raft_fact *f)
{
    if (p && p->node >= 0)
        return NO_LANE;
    if (f->kind == RAFT_FACT_FAULT)
        return SCENE_OUTSIDE;
    if (!p || !f->message || (f->message->type != RAFT_CLIENT_REQUEST && f->message->type != RAFT_CLIENT_RESULT))
        return NO_LANE;
    return client_lane(s, p->name);
}

static uint8_t lane_find(struct scene_walk *w, const struct raft_fact *f)
{
    uintptr_t known = (uintptr_t)map_get(&w->lane_of, f->process);
    if (known)
        return (uint8_t)(known - 1);
    const struct raft_process *p = process_of(w->scene->verdict->model, f->process);
    uint8_t lane = p ? scene_lane_of(w->scene, p->node) : SCENE_OUTSIDE;
    if (lane == SCENE_OUTSIDE)
        lane = lane_elsewhere(w->scene, p, f);
    if (lane != NO_LANE)
        w->scene->failed |= !map_put(&w->lane_of, f->process, (void *)(uintptr_t)(lane + 1));
    return lane;
}

/* --- states --- */

/* What it says of itself, else what it was seen to do. */
static int role_of(const struct raft_node *n)
{
    if (n->role_term && n->role_term >= n->leading && n->role_term >= n->bound)
        return n->role;
    if (n->leading && n->leading >= n->bound)
        return 2;
    if (n->id[0] && n->vote_term == n->term && n->term && !strcmp(n->vote, n->id) && n->bound <= n->term)
        return 1;
    return n->bound ? 0 : -1;
}

static void state_take(struct scene_walk *w, struct scene_lane *lane, struct scene_event *event)
{
    struct scene *s = w->scene;
    if (lane->node < 0 || (size_t)lane->node >= w->model->nodes)
        return;
    const struct raft_node *n = &w->model->node[lane->node];
    struct scene_state now;
    memset(&now, 0, sizeof now);
    now = (struct scene_state){.role = role_of(n), .term = n->term > n->bound ? n->term : n->bound, .commit = n->commit,
                               .applied = n->applied, .last = n->last, .snapshot = n->snapshot, .incarnation = n->incarnation};
    if (n->vote_term == now.term)
        snprintf(now.vote, sizeof now.vote, "%s", n->vote[0] ? scene_peer(w, n->vote) : "");
    const struct scene_state *last = lane->last_state != SCENE_NONE ? &s->state[lane->last_state] : NULL;
    bool same = last && last->role == now.role && last->term == now.term && last->commit == now.commit &&
                last->applied == now.applied && last->last == now.last && last->snapshot == now.snapshot &&
                last->incarnation == now.incarnation && !strcmp(last->vote, now.vote);
    struct scene_state *place = same ? NULL : scene_grow(s, (void **)&s->state, s->states, &s->state_capacity,
                                                         sizeof *place);
    if (place) {
        *place = now;
        lane->last_state = (uint32_t)s->states++;
    }
    event->state = lane->last_state;
}

/* --- the walk --- */

#define WORDS 400

/* Words of the weightiest fact first. */
static void event_words(struct scene_walk *w, struct scene_event *event, const struct raft_fact *f, bool first)
{
    char words[WORDS], both[2 * WORDS];
    const char *before = scene_text(w->scene, event->text);
    scene_words(w, f, words, sizeof words);
    if (!words[0] || (*before && strstr(before, words)))
        return;
    const char *front = first ? words : before, *behind = first ? before : words;
    int length = snprintf(both, sizeof both, "%s%s%s", front, *before ? "; " : "", behind);
    if (length >= WORDS)
        both[WORDS - 1] = '\0';
    event->text = scene_keep(w->scene, both);
}

static void event_make(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look)
{
    struct scene *s = w->scene;
    const struct scene_event event = {
        .order = w->order, .last = w->order, .sequence = f->sequence, .time = f->time, .process = f->process, .lane = lane, .kind = look->kind,
        .group = look->group, .state = SCENE_NONE, .place = SCENE_NONE, .rank = 1,
        .tick = lane < SCENE_LANES ? s->lane[lane].tick : 0,
    };
    w->current = scene_event_add(s, &event);
    if (lane < SCENE_LANES)
        s->lane[lane].last_event = w->current;
}

static bool wanted(const struct scene_walk *w, const struct scene_look *look)
{
    const struct scene *s = w->scene;
    if (s->events >= SCENE_STORED)
        return false;
    return distance(s, w->order, w->order) <= s->near || (look->rare && s->events < SCENE_STORED - 2 * SCENE_NEAR);
}

/* One cut ends several connections: the first says it. */
static bool said_already(const struct scene *s, const struct scene_event *event, uint8_t lane, uint32_t before)
{
    return lane < SCENE_LANES && event->kind == SCENE_CUT && before != SCENE_NONE && s->event[before].text == event->text;
}

static void event_take(struct scene_walk *w, const struct raft_fact *f, uint8_t lane, const struct scene_look *look)
{
    struct scene *s = w->scene;
    uint32_t before = lane < SCENE_LANES ? s->lane[lane].last_event : SCENE_NONE;
    bool begins = w->current == SCENE_NONE;
    if (begins && wanted(w, look))
        event_make(w, f, lane, look);
    if (w->current == SCENE_NONE)
        return;
    struct scene_event *event = &s->event[w->current];
    event->last = w->order;
    event_words(w, event, f, look->kind > event->kind);
    if (look->kind > event->kind) {
        event->kind = look->kind;
        event->group = look->group;
    }
    if (begins && said_already(s, event, lane, before))
        event->group = SCENE_NOTES;
}

/* The events that show the violation: what happened before one of them is its past. */
static bool shows_violation(const struct scene_walk *w)
{
    const struct verdict *v = w->scene->verdict;
    for (size_t i = 0; v->finding && i < v->finding->sides; i++) {
        if (v->finding->side[i].witnesses && v->finding->side[i].witness[0].order == w->order)
            return true;
    }
    return !v->finding && v->cause.rule_break && v->cause.rule_break->at.order == w->order;
}

static void violation_step(struct scene_walk *w, uint8_t lane)
{
    if (lane >= SCENE_LANES || !shows_violation(w))
        return;
    const uint64_t *clock = &w->clock[lane * SCENE_LANES];
    w->violated = true;
    for (size_t i = 0; i < SCENE_LANES; i++)
        w->past[i] = clock[i] > w->past[i] ? clock[i] : w->past[i];
}

static void event_begin(struct scene_walk *w, const struct raft_fact *f, uint8_t lane)
{
    w->last_process = f->process;
    w->last_sequence = f->sequence;
    w->current = SCENE_NONE;
    w->scene->seen++;
    if (lane < SCENE_LANES)
        w->clock[lane * SCENE_LANES + lane] = ++w->scene->lane[lane].tick;
}

static void step(void *context, const struct raft_fact *f)
{
    struct scene_walk *w = context;
    struct scene *s = w->scene;
    raft_model_step(w->model, f);
    w->order = w->model->facts;
    uint8_t lane = s->failed ? NO_LANE : lane_find(w, f);
    if (lane == NO_LANE)
        return;
    if (f->process != w->last_process || f->sequence != w->last_sequence || !s->seen)
        event_begin(w, f, lane);
    struct scene_look look = scene_look(w, f, lane < SCENE_LANES ? &s->lane[lane] : NULL);
    event_take(w, f, lane, &look);
    if (f->message && lane < SCENE_LANES)
        scene_message_passes(w, f, lane, &look);
    if (w->current != SCENE_NONE && lane < SCENE_LANES)
        state_take(w, &s->lane[lane], &s->event[w->current]);
    if (lane < SCENE_LANES)
        scene_log_step(w, f, lane);
    violation_step(w, lane);
}

static void cone_find(struct scene_walk *w)
{
    struct scene *s = w->scene;
    for (size_t i = 0; i < s->events; i++) {
        struct scene_event *e = &s->event[i];
        e->cone = !w->violated || e->lane == SCENE_OUTSIDE || e->tick <= w->past[e->lane];
    }
}

static bool walk_init(struct scene_walk *w, struct scene *s)
{
    *w = (struct scene_walk){.scene = s, .model = raft_model_create(), .current = SCENE_NONE,
                             .clocks = s->verdict->finding || s->verdict->cause.rule_break,
                             .clock = calloc(SCENE_LANES * SCENE_LANES, sizeof *w->clock)};
    if (w->model)
        w->model->unjudged = true; /* explain has judged */
    for (size_t i = 0; w->model && i < s->processes; i++) {
        const struct store_process *p = &s->process[i];
        raft_model_process(w->model, p->number, p->node ? p->node : "", p->incarnation, p->start, p->end, p->complete);
        raft_model_status(w->model, p->number, p->status);
    }
    return w->model && w->clock && scene_log_init(s);
}

static void walk_fini(struct scene_walk *w)
{
    raft_model_destroy(w->model);
    scene_messages_fini(w);
    map_fini(&w->lane_of);
    free(w->clock);
}

/* --- in their order --- */

static int by_order(const void *a, const void *b, void *context)
{
    const struct scene_event *event = context, *x = &event[*(const uint32_t *)a], *y = &event[*(const uint32_t *)b];
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static uint32_t moved(const uint32_t *place, uint32_t event)
{
    return event == SCENE_NONE ? SCENE_NONE : place[event];
}

/* What inputs.c added stands behind the facts: bring all into one order. */
static bool events_sort(struct scene *s)
{
    uint32_t *order = malloc((s->events + 1) * sizeof *order), *place = malloc((s->events + 1) * sizeof *place);
    struct scene_event *sorted = malloc((s->events + 1) * sizeof *sorted);
    bool good = order && place && sorted;
    for (uint32_t i = 0; good && i < s->events; i++)
        order[i] = i;
    if (good)
        qsort_r(order, s->events, sizeof *order, by_order, s->event);
    for (uint32_t i = 0; good && i < s->events; i++) {
        sorted[i] = s->event[order[i]];
        place[order[i]] = i;
    }
    for (size_t i = 0; good && i < s->messages; i++) {
        s->message[i].from = moved(place, s->message[i].from);
        s->message[i].to = moved(place, s->message[i].to);
    }
    free(order);
    free(place);
    free(good ? (void *)s->event : (void *)sorted);
    if (good) {
        s->event = sorted;
        s->event_capacity = s->events + 1;
    }
    return good;
}

/* Between those that were added, a lane's state is what it was before. */
static void states_fill(struct scene *s)
{
    uint32_t last[SCENE_LANES];
    for (size_t i = 0; i < SCENE_LANES; i++)
        last[i] = SCENE_NONE;
    for (size_t i = 0; i < s->events; i++) {
        struct scene_event *e = &s->event[i];
        if (e->lane >= SCENE_LANES)
            continue;
        if (e->state == SCENE_NONE)
            e->state = last[e->lane];
        last[e->lane] = e->state;
    }
}

/* --- what is drawn --- */

static uint64_t cost_of(const struct scene *s, const struct scene_event *e)
{
    uint64_t cost = 16 * distance(s, e->order, e->last);
    if (e->kind >= SCENE_TERM || e->group == SCENE_TIMERS)
        cost /= 16;
    else if (e->group == SCENE_HEARTBEATS || e->kind == SCENE_REFUSED || e->group == SCENE_FILES)
        cost *= 4;
    return e->cone ? cost : 3 * cost;
}

/* Both ends of an arrow, or none. */
static void costs_join(struct scene *s)
{
    for (size_t i = 0; i < s->messages; i++) {
        const struct scene_message *m = &s->message[i];
        if (m->from == SCENE_NONE || m->to == SCENE_NONE)
            continue;
        struct scene_event *from = &s->event[m->from], *to = &s->event[m->to];
        from->cost = to->cost = from->cost < to->cost ? from->cost : to->cost;
    }
}

/* Events that cost less than what is returned are as many as may be drawn, or fewer. */
static uint64_t costs_cut(const struct scene *s, size_t limit)
{
    uint64_t *cost = malloc((s->events + 1) * sizeof *cost), cut;
    if (!cost)
        return 1;
    for (size_t i = 0; i < s->events; i++)
        cost[i] = s->event[i].cost;
    qsort(cost, s->events, sizeof *cost, by_value);
    cut = s->events > limit ? cost[limit] : UINT64_MAX;
    free(cost);
    return cut;
}

/* The drawn events by process and sequence. */
static int by_name(const void *a, const void *b, void *context)
{
    const struct scene_event *event = context, *x = &event[*(const uint32_t *)a], *y = &event[*(const uint32_t *)b];
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void names_make(struct scene *s)
{
    size_t count = 0;
    free(s->by_name);
    s->by_name = malloc((s->drawn + 1) * sizeof *s->by_name);
    s->failed |= !s->by_name;
    for (uint32_t i = 0; s->by_name && i < s->events; i++) {
        if (s->event[i].place != SCENE_NONE)
            s->by_name[count++] = i;
    }
    if (s->by_name)
        qsort_r(s->by_name, count, sizeof *s->by_name, by_name, s->event);
}

void scene_select(struct scene *s, size_t limit)
{
    for (size_t i = 0; i < s->events; i++)
        s->event[i].cost = cost_of(s, &s->event[i]);
    costs_join(s);
    uint64_t cut = costs_cut(s, limit);
    s->drawn = s->in_cone = s->drawn_messages = 0;
    for (size_t i = 0; i < s->events; i++) {
        struct scene_event *e = &s->event[i];
        bool drawn = e->cost < cut || (cut == 0 && s->drawn < limit);
        e->place = drawn ? (uint32_t)s->drawn++ : SCENE_NONE;
        s->in_cone += drawn && e->cone;
    }
    for (size_t i = 0; i < s->messages; i++) {
        const struct scene_message *m = &s->message[i];
        s->drawn_messages += (m->from != SCENE_NONE && s->event[m->from].place != SCENE_NONE) ||
                             (m->to != SCENE_NONE && s->event[m->to].place != SCENE_NONE);
    }
    names_make(s);
}

uint32_t scene_find(const struct scene *s, uint32_t process, uint64_t sequence)
{
    size_t low = 0, high = s->by_name ? s->drawn : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct scene_event *e = &s->event[s->by_name[middle]];
        if (e->process < process || (e->process == process && e->sequence <= sequence))
            low = middle + 1;
        else
            high = middle;
    }
    return low && s->event[s->by_name[low - 1]].process == process ? s->by_name[low - 1] : SCENE_NONE;
}

/* --- all of it --- */

bool scene_init(struct scene *s, const struct verdict *v, struct store *store, const struct store_process *process,
                size_t processes, uint64_t begin, size_t limit, struct drd_error *e)
{
    struct scene_walk w = {.scene = NULL};
    *s = (struct scene){.verdict = v, .process = process, .processes = processes, .begin = begin};
    bool good = anchors_find(s, v);
    if (good) {
        s->near = near_find(s, v->model->facts);
        lanes_init(s);
        good = walk_init(&w, s);
    }
    if (!good)
        error_set(e, DRD_EXIT_FATAL, "out of memory");
    good = good && protocol_walk(store, step, &w, e);
    if (good) {
        scene_messages_finish(&w);
        scene_log_finish(s);
        cone_find(&w);
        good = scene_inputs(s, store, e);
    }
    if (good && (s->failed || w.model->out_of_memory || !events_sort(s)))
        good = error_set(e, DRD_EXIT_FATAL, "out of memory");
    walk_fini(&w);
    if (good) {
        states_fill(s);
        scene_select(s, limit);
        good = !s->failed || error_set(e, DRD_EXIT_FATAL, "out of memory");
    }
    return good;
}

void scene_fini(struct scene *s)
{
    free(s->anchor);
    free(s->by_name);
    free(s->event);
    free(s->message);
    free(s->state);
    free(s->text);
    free(s->log.cell);
    free(s->log.change);
    free(s->log.entry);
    free(s->log.variant);
    map_fini(&s->log.numbers);
    map_fini(&s->texts);
    *s = (struct scene){.lanes = 0};
}
