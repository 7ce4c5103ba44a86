#include "diff/diff.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "diff/align.h"

enum lane { LANE_LIFE, LANE_FAULT, LANE_ELECTION, LANE_TERM, LANE_LOG, LANE_COMMIT, LANE_APPLY, LANE_CLIENT, LANE_RESULT, LANE_SNAPSHOT,
            LANE_STATE, LANE_MEMBERS, LANE_MESSAGE };
#define CHANNELS 64
#define LANES (LANE_MESSAGE + 3 * CHANNELS)
#define RANK_STEP 256
#define ELECTIONS_MOST 65536 /* beyond, all of them matter */

static const uint8_t lane_of_kind[DIFF_KINDS] = {
    [DIFF_START] = LANE_LIFE, [DIFF_EXIT] = LANE_LIFE, [DIFF_FAULT] = LANE_FAULT, [DIFF_WRITE_FAILED] = LANE_LIFE,
    [DIFF_RECOVERED] = LANE_LIFE, [DIFF_TERM] = LANE_TERM, [DIFF_CANDIDATE] = LANE_ELECTION, [DIFF_VOTE] = LANE_ELECTION,
    [DIFF_REFUSAL] = LANE_ELECTION, [DIFF_LEADER] = LANE_ELECTION, [DIFF_FOLLOWER] = LANE_ELECTION, [DIFF_APPEND] = LANE_LOG,
    [DIFF_TRUNCATE] = LANE_LOG, [DIFF_SNAPSHOT] = LANE_SNAPSHOT, [DIFF_MEMBERS] = LANE_MEMBERS, [DIFF_COMMIT] = LANE_COMMIT, [DIFF_APPLY] = LANE_APPLY,
    [DIFF_REQUEST] = LANE_CLIENT, [DIFF_RESULT] = LANE_RESULT, [DIFF_ACK] = LANE_MESSAGE, [DIFF_SEND] = LANE_MESSAGE,
    [DIFF_MESSAGE] = LANE_MESSAGE,
};

static const char *const lane_titles[LANE_MESSAGE] = {
    [LANE_LIFE] = "processes", [LANE_FAULT] = "faults", [LANE_ELECTION] = "elections", [LANE_TERM] = "terms",
    [LANE_LOG] = "log",
    [LANE_COMMIT] = "commits", [LANE_APPLY] = "applies", [LANE_CLIENT] = "clients", [LANE_RESULT] = "answers to clients", [LANE_SNAPSHOT] = "snapshots",
    [LANE_STATE] = "state", [LANE_MEMBERS] = "configurations",
};

const struct diff_event *diff_event(const struct diff *d, int side, const struct diff_item *item)
{
    return &d->run[side]->event[item->event];
}

void diff_drop(const struct diff *d)
{
    spill_drop(&d->gaps);
    for (int side = 0; side < 2; side++) {
        diff_run_drop(d->run[side]);
        spill_drop(&d->items[side]);
        spill_drop(&d->marks[side]);
        spill_drop(&d->ranks[side]);
    }
}

/* --- meaning --- */

static uint64_t text_label(const char *text)
{
    return XXH3_64bits(text, strlen(text));
}

uint64_t diff_peer_label(const struct diff *d, int side, uint16_t peer)
{
    return peer == DIFF_NO_PEER ? 0 : text_label(diff_run_peer(d->run[side], peer));
}

/* Ids separated by blanks, as the nodes that they stand for, in no order. */
static uint64_t members_label(const struct diff_run *r, const char *text)
{
    uint64_t label = 0;
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, " |*");
        const char *name = NULL;
        for (size_t i = 0; i < r->peers && length && !name; i++) {
            if (strlen(r->peer[i].id) == length && !strncmp(r->peer[i].id, p, length))
                name = diff_run_peer(r, (uint16_t)i);
        }
        label += (name ? text_label(name) : XXH3_64bits(p, length)) * (p[length] == '*' ? 3 : 1);
        p += length;
        p += strspn(p, " |*");
    }
    return label;
}

static uint64_t content_label(const struct diff *d, int side, const struct diff_event *event)
{
    const char *text = diff_run_text(d->run[side], event);
    if ((event->kind == DIFF_APPEND && event->type == 'm') || event->kind == DIFF_MEMBERS)
        return members_label(d->run[side], text);
    if (event->kind == DIFF_SNAPSHOT)
        return event->content + members_label(d->run[side], text);
    if (event->kind == DIFF_RECOVERED)
        return event->content + event->type + diff_term_label(d, side, event->last);
    if (event->kind == DIFF_APPEND)
        return event->content;
    return event->content + text_label(text);
}

static bool last_is_term(const struct diff_event *event)
{
    return event->kind == DIFF_MESSAGE && (event->type == RAFT_REQUEST_VOTE || event->type == RAFT_INSTALL_SNAPSHOT);
}

static bool is_range(const struct diff_event *event)
{
    return (event->kind == DIFF_COMMIT || event->kind == DIFF_APPLY) && event->last >= event->index;
}

uint64_t diff_meaning_of(const struct diff *d, int side, const struct diff_event *event, uint32_t step)
{
    unsigned fields = d->options.fields;
    uint64_t last = is_range(event) || event->kind == DIFF_RECOVERED ? 0
                    : last_is_term(event) ? diff_term_label(d, side, event->last) : event->last;
    uint64_t part[] = {
        event->kind, event->flags, event->kind == DIFF_MESSAGE ? event->type : 0,
        fields & DIFF_FIELD_TERM ? 0 : diff_term_label(d, side, event->term),
        fields & DIFF_FIELD_INDEX ? 0 : event->index + step,
        fields & (last_is_term(event) ? DIFF_FIELD_TERM : DIFF_FIELD_INDEX) ? 0 : last,
        fields & DIFF_FIELD_CONTENT ? 0 : content_label(d, side, event),
        fields & DIFF_FIELD_PEER ? 0 : diff_peer_label(d, side, event->peer),
    };
    return XXH3_64bits(part, sizeof part);
}

/* What an event is about, whatever came of it. */
static uint64_t subject(const struct diff *d, int side, const struct diff_item *item)
{
    const struct diff_event *event = diff_event(d, side, item);
    uint64_t part[4] = {lane_of_kind[event->kind], 0, 0, 0};
    switch (event->kind) {
    case DIFF_APPEND: case DIFF_COMMIT: case DIFF_APPLY: case DIFF_SNAPSHOT:
        part[1] = event->index + item->step;
        part[2] = event->kind;
        break;
    case DIFF_VOTE: case DIFF_REFUSAL:
        part[1] = diff_term_label(d, side, event->term);
        part[2] = diff_peer_label(d, side, event->peer);
        break;
    case DIFF_RESULT: case DIFF_REQUEST:
        part[1] = event->kind;
        break;
    case DIFF_FOLLOWER:
        part[1] = event->kind;
        break;
    case DIFF_MESSAGE:
        part[1] = event->type;
        part[2] = diff_term_label(d, side, event->term);
        break;
    default:
        part[1] = event->kind;
        part[2] = diff_peer_label(d, side, event->peer);
    }
    return XXH3_64bits(part, sizeof part);
}

bool diff_is_change(const struct diff *d, const struct diff_item *a, const struct diff_item *b)
{
    return subject(d, 0, a) == subject(d, 1, b);
}

/* --- what matters --- */

static bool message_matters(const struct diff_event *event)
{
    if (!(event->flags & DIFF_SENT) || event->flags & DIFF_PRE_VOTE)
        return false;
    return (event->type == RAFT_REQUEST_VOTE && event->peer == DIFF_NO_PEER) || event->type == RAFT_TIMEOUT_NOW ||
           event->flags & DIFF_AHEAD || (event->type == RAFT_REQUEST_VOTE_RESULT && event->last);
}

static int by_election(const void *a, const void *b)
{
    const struct diff_election *x = a, *y = b;
    return x->term != y->term ? (x->term < y->term ? -1 : 1) : x->node != y->node ? (x->node < y->node ? -1 : 1)
                                                                                  : (int)x->chosen - (int)y->chosen;
}

static void election_add(struct diff_elections *l, uint64_t term, int node, bool chosen)
{
    if (node >= 0 && l->count < ELECTIONS_MOST)
        l->election[l->count++] = (struct diff_election){term, (uint32_t)node, chosen};
}

/* Who was voted for or led in which term, and who else had a part in it: by a vote, or by a leader that it heard. */
static bool elections_make(struct diff *d, int side)
{
    const struct diff_run *r = d->run[side];
    struct diff_elections *l = &d->elections[side];
    l->election = malloc(ELECTIONS_MOST * sizeof *l->election);
    for (size_t i = 0; l->election && i < r->events; i++) {
        const struct diff_event *event = &r->event[i];
        if (i % DIFF_STRIDE == 0)
            diff_run_drop(d->run[side]);
        if (event->kind == DIFF_LEADER)
            election_add(l, event->term, event->node, true);
        if (event->kind == DIFF_VOTE && event->peer < r->peers)
            election_add(l, event->term, r->peer[event->peer].node, true);
        if (event->kind == DIFF_VOTE || (event->kind == DIFF_MESSAGE && event->type == RAFT_APPEND_ENTRIES))
            election_add(l, event->term, event->node, false);
    }
    if (l->election)
        qsort(l->election, l->count, sizeof *l->election, by_election);
    return l->election != NULL;
}

static bool election_has(const struct diff *d, int side, const struct diff_event *event, bool chosen)
{
    const struct diff_elections *l = &d->elections[side];
    const struct diff_election key = {event->term, event->node, chosen};
    return l->count == ELECTIONS_MOST || bsearch(&key, l->election, l->count, sizeof key, by_election);
}

/* A candidate for whom nobody votes changes nothing: it is a timer that fired, and fires again. */
static bool was_voted_for(const struct diff *d, int side, const struct diff_event *event)
{
    return election_has(d, side, event, true);
}

/* A term in which the node has no part passes by: one that hears from nobody counts through many. */
static bool had_part(const struct diff *d, int side, const struct diff_event *event)
{
    return event->flags & DIFF_BACK || election_has(d, side, event, true) || election_has(d, side, event, false);
}

/* Whether the other side has in the same gap what this is about. */
static bool has_counterpart(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap, int side,
                            size_t at)
{
    uint64_t what = subject(d, side, &lane->list[side].item[at]);
    for (size_t i = gap->from[!side]; i < gap->to[!side] && i - gap->from[!side] < 1000; i++) {
        if (subject(d, !side, &lane->list[!side].item[i]) == what)
            return true;
    }
    return false;
}

bool diff_matters(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap, int side, size_t at)
{
    const struct diff_event *event = diff_event(d, side, &lane->list[side].item[at]);
    switch (event->kind) {
    case DIFF_REFUSAL: case DIFF_REQUEST:
        return false;
    case DIFF_SNAPSHOT:
        return has_counterpart(d, lane, gap, side, at);
    case DIFF_CANDIDATE:
        return was_voted_for(d, side, event);
    case DIFF_TERM:
        return had_part(d, side, event);
    case DIFF_FOLLOWER:
        return !has_counterpart(d, lane, gap, side, at);
    case DIFF_FAULT:
        return event->node == d->run[side]->outside;
    case DIFF_APPLY:
        return event->type != DIFF_STATE || has_counterpart(d, lane, gap, side, at);
    case DIFF_RESULT:
        return event->flags & DIFF_SUCCESS;
    case DIFF_MESSAGE:
        if (event->flags & DIFF_PRE_VOTE && event->flags & DIFF_SENT && event->type == RAFT_REQUEST_VOTE_RESULT)
            return has_counterpart(d, lane, gap, side, at); /* granted, and refused */
        if (event->type == RAFT_REQUEST_VOTE && event->peer == DIFF_NO_PEER && !(event->flags & DIFF_AHEAD))
            return was_voted_for(d, side, event);
        return message_matters(event);
    default:
        return true;
    }
}

/* The other run's cluster came to this as well; this node of it did not hear of it before the end. */
static bool known_elsewhere(const struct diff *d, int side, const struct diff_item *item)
{
    const struct diff_event *event = diff_event(d, side, item);
    struct diff_run *other = d->run[!side];
    uint64_t index = event->index + item->step, label = diff_term_label(d, side, event->term);
    if (event->flags & DIFF_BACK)
        return false;
    for (size_t i = 0; i < other->nodes; i++) {
        const struct diff_node *n = &other->node[i];
        const struct diff_event *entry = diff_run_entry(other, i, index);
        bool reached = event->kind == DIFF_APPEND || (event->kind == DIFF_COMMIT ? n->commit : n->applied) >= index;
        bool same = !event->term || (entry && diff_term_label(d, !side, entry->term) == label);
        if (reached && same && (entry || event->kind != DIFF_APPEND))
            return true;
    }
    return false;
}

static bool gap_late(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap)
{
    for (int side = 0; side < 2; side++) {
        if (gap->to[side] != lane->list[side].count)
            return false;
        for (size_t i = gap->from[side]; i < gap->to[side]; i++) {
            const struct diff_event *event = diff_event(d, side, &lane->list[side].item[i]);
            if (i % DIFF_STRIDE == 0)
                diff_drop(d);
            bool progress = event->kind == DIFF_APPEND || event->kind == DIFF_COMMIT || event->kind == DIFF_APPLY;
            if (!progress || gap->from[!side] != gap->to[!side] || !known_elsewhere(d, side, &lane->list[side].item[i]))
                return false;
        }
    }
    return true;
}

static bool gap_matters(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap)
{
    for (int side = 0; side < 2; side++) {
        for (size_t i = gap->from[side]; i < gap->to[side]; i++) {
            if (i % DIFF_STRIDE == 0)
                diff_drop(d);
            if (diff_matters(d, lane, gap, side, i))
                return !gap_late(d, lane, gap);
        }
    }
    return false;
}

static void gap_count(struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap)
{
    struct diff_count *count = gap->matters ? &d->matter : &d->rest;
    size_t missing = gap->to[0] - gap->from[0], extra = gap->to[1] - gap->from[1], changed = 0;
    for (size_t i = gap->from[0], j = gap->from[1]; i < gap->to[0] && j < gap->to[1]; i++) {
        if (i % DIFF_STRIDE == 0)
            diff_drop(d);
        if (diff_is_change(d, &lane->list[0].item[i], &lane->list[1].item[j])) {
            changed++;
            j++;
        }
    }
    count->missing += missing - changed;
    count->extra += extra - changed;
    count->changed += changed;
}

/* --- lanes --- */

static size_t lane_of(const struct diff *d, int side, const struct diff_event *event)
{
    size_t lane = lane_of_kind[event->kind];
    if (lane == LANE_FAULT)
        return LANE_MESSAGE + 2 * CHANNELS + diff_peer_label(d, side, event->peer) % CHANNELS;
    if (lane == LANE_APPLY && event->type == DIFF_STATE)
        return LANE_STATE;
    if (lane != LANE_MESSAGE)
        return lane;
    return lane + 2 * (diff_peer_label(d, side, event->peer) % CHANNELS) + !!(event->flags & DIFF_SENT);
}

static bool event_wanted(const struct diff *d, const struct diff_run *r, const struct diff_event *event)
{
    const struct diff_node *n = &r->node[event->node];
    bool named = d->options.nodes == 0;
    for (size_t i = 0; i < d->options.nodes; i++)
        named |= !strcmp(d->options.node[i], n->name);
    return n->raft && named && !(d->options.ignored >> event->kind & 1);
}

#define RANGE_MOST 200000 /* no node commits so much at once */

#define LANE_RANGES_MOST 4000000

/* How many items an event makes, of those that are left to its lane for ranges. */
static uint64_t steps_of(const struct diff_event *event, uint64_t *left)
{
    uint64_t steps = is_range(event) ? event->last - event->index + 1 : 1;
    if (!steps || steps > RANGE_MOST || steps > *left)
        return 1;
    *left -= steps;
    return steps;
}

/* The items of a run by node and lane, in their order. */
struct sorted {
    uint64_t *next; /* of each node's each lane: where its items begin; while they are filled in: where the next one goes */
    uint64_t *left; /* for ranges */
};

static bool sorted_init(struct sorted *s, size_t places)
{
    s->next = calloc(places + 1, sizeof *s->next);
    s->left = malloc((places + 1) * sizeof *s->left);
    for (size_t i = 0; s->left && i < places; i++)
        s->left[i] = LANE_RANGES_MOST;
    return s->next && s->left;
}

static void sorted_fini(struct sorted *s)
{
    free(s->next);
    free(s->left);
}

/* Every event once, in its order. */
static void items_visit(const struct diff *d, int side, struct sorted *s,
                        void (*fn)(const struct diff *d, int side, uint64_t *next, uint32_t event, uint64_t steps))
{
    struct diff_run *r = d->run[side];
    for (size_t i = 0; i < r->events; i++) {
        const struct diff_event *event = &r->event[i];
        if (i % DIFF_STRIDE == 0)
            diff_drop(d);
        if (!event_wanted(d, r, event))
            continue;
        size_t place = event->node * LANES + lane_of(d, side, event);
        fn(d, side, &s->next[place], (uint32_t)i, steps_of(event, &s->left[place]));
    }
}

static void item_count(const struct diff *d, int side, uint64_t *next, uint32_t event, uint64_t steps)
{
    (void)d, (void)side, (void)event;
    *next += steps;
}

static void item_fill(const struct diff *d, int side, uint64_t *next, uint32_t event, uint64_t steps)
{
    struct diff_item *item = (struct diff_item *)d->items[side].base + *next;
    const struct diff_event *e = &d->run[side]->event[event];
    for (uint32_t step = 0; step < steps; step++)
        item[step] = (struct diff_item){diff_meaning_of(d, side, e, step), event, step};
    *next += steps;
}

/* Counted, then filled in: each lane in one piece. Afterwards next[] is where the lane ends. */
static bool items_make(struct diff *d, int side, struct sorted *s)
{
    size_t places = d->run[side]->nodes * LANES;
    uint64_t total = 0;
    if (!sorted_init(s, places))
        return false;
    items_visit(d, side, s, item_count);
    for (size_t i = 0; i < places; i++) {
        uint64_t count = s->next[i];
        s->next[i] = total;
        total += count;
        s->left[i] = LANE_RANGES_MOST;
    }
    if (!spill_reserve(&d->items[side], (total + 1) * sizeof(struct diff_item)))
        return false;
    items_visit(d, side, s, item_fill);
    return true;
}

static bool gap_add(struct diff *d, struct diff_lane *lane, size_t x, size_t y, size_t end_x, size_t end_y)
{
    if (x == end_x && y == end_y)
        return true;
    if (!spill_reserve(&d->gaps, (d->gap_count + 1) * sizeof(struct diff_gap)))
        return false;
    struct diff_gap *gap = (struct diff_gap *)d->gaps.base + d->gap_count;
    *gap = (struct diff_gap){{x, y}, {end_x, end_y}, false};
    if (!lane->gaps++)
        lane->gap = gap;
    d->gap_count++;
    spill_pass(&d->gaps, sizeof *gap);
    return true;
}

/* What the alignment of a lane goes by. */
struct aligning {
    struct diff *diff;
    struct diff_lane *lane;
    size_t from, other; /* behind the last match */
    size_t passed;
};

static uint64_t hash_at(void *context, int side, size_t at)
{
    const struct aligning *a = context;
    return a->lane->list[side].item[at].hash;
}

static bool on_match(void *context, size_t x, size_t y)
{
    struct aligning *a = context;
    struct diff *d = a->diff;
    bool good = x == a->from && y == a->other ? true : gap_add(d, a->lane, a->from, a->other, x, y);
    ((uint8_t *)d->marks[0].base)[a->lane->list[0].item[x].event] = 1;
    ((uint8_t *)d->marks[1].base)[a->lane->list[1].item[y].event] = 1;
    a->from = x + 1;
    a->other = y + 1;
    d->same++;
    if (++a->passed % DIFF_STRIDE == 0)
        diff_drop(d);
    return good;
}

static bool lane_align(struct diff *d, struct diff_lane *lane)
{
    struct aligning a = {d, lane, 0, 0, 0};
    const struct align_source source = {&a, {lane->list[0].count, lane->list[1].count}, hash_at, on_match};
    return align_long(&source) && gap_add(d, lane, a.from, a.other, lane->list[0].count, lane->list[1].count);
}

static void lane_title(const struct diff *d, struct diff_lane *lane, size_t number)
{
    int side = lane->node[0] == ALIGN_NONE;
    const struct diff_run *r = d->run[side];
    const char *node = r->node[lane->node[side]].name;
    side = !lane->list[0].count;
    r = d->run[side];
    if (number < LANE_MESSAGE || number >= LANE_MESSAGE + 2 * CHANNELS) {
        snprintf(lane->title, sizeof lane->title, "%.40s, %s", node,
                 lane_titles[number < LANE_MESSAGE ? number : LANE_FAULT]);
        return;
    }
    const struct diff_event *event = diff_event(d, side, &lane->list[side].item[0]);
    snprintf(lane->title, sizeof lane->title, "%.30s, messages %s %.30s", node, event->flags & DIFF_SENT ? "to" : "from",
             event->peer == DIFF_NO_PEER ? "somebody" : diff_run_peer(r, event->peer));
}

/* The items of one lane. */
static struct diff_list list_of(const struct diff *d, int side, const struct sorted *s, size_t node, size_t number)
{
    if (node == ALIGN_NONE)
        return (struct diff_list){NULL, 0};
    size_t place = node * LANES + number;
    uint64_t begin = place ? s->next[place - 1] : 0;
    return (struct diff_list){(struct diff_item *)d->items[side].base + begin, s->next[place] - begin};
}

/* Lane `number` of node `a` against that of node `b`; kept if they differ. */
static bool lane_compare(struct diff *d, const struct sorted *sorted, size_t a, size_t b, size_t number)
{
    struct diff_lane lane = {.node = {a, b}};
    for (int side = 0; side < 2; side++)
        lane.list[side] = list_of(d, side, &sorted[side], lane.node[side], number);
    if (!lane_align(d, &lane))
        return false;
    if (!lane.gaps)
        return true;
    lane_title(d, &lane, number);
    struct diff_lane *grown = realloc(d->lane, (d->lanes + 1) * sizeof *grown);
    if (!grown)
        return false;
    d->lane = grown;
    d->lane[d->lanes++] = lane;
    return true;
}

static bool lanes_compare(struct diff *d)
{
    struct sorted sorted[2] = {0};
    bool good = items_make(d, 0, &sorted[0]) && items_make(d, 1, &sorted[1]);
    for (size_t node = 0; good && node < d->run[0]->nodes + d->run[1]->nodes; node++) {
        size_t a = node < d->run[0]->nodes ? node : ALIGN_NONE;
        size_t b = a == ALIGN_NONE ? node - d->run[0]->nodes : d->pair[a];
        if (a == ALIGN_NONE && d->back[b] != ALIGN_NONE)
            continue;
        for (size_t lane = 0; lane < LANES && good; lane++)
            good = lane_compare(d, sorted, a, b, lane);
    }
    sorted_fini(&sorted[0]);
    sorted_fini(&sorted[1]);
    return good;
}

/* --- ranks: how many matched events come before one. Comparable between the runs --- */

static bool ranks_make(struct diff *d, int side)
{
    size_t events = d->run[side]->events;
    uint32_t count = 0;
    if (!spill_reserve(&d->ranks[side], (events / RANK_STEP + 1) * sizeof *d->rank[side]))
        return false;
    d->rank[side] = d->ranks[side].base;
    d->rank[side][0] = 0;
    for (size_t i = 0; i < events; i++) {
        if (i % RANK_STEP == 0)
            d->rank[side][i / RANK_STEP] = count;
        count += d->matched[side][i];
        spill_pass(&d->marks[side], 1);
    }
    return true;
}

uint64_t diff_rank(const struct diff *d, int side, uint32_t event)
{
    uint64_t rank = d->rank[side][event / RANK_STEP];
    for (uint32_t i = event / RANK_STEP * RANK_STEP; i < event; i++)
        rank += d->matched[side][i];
    return rank;
}

static int by_rank(const void *a, const void *b)
{
    const struct diff_lane *x = a, *y = b;
    if (x->matters != y->matters)
        return x->matters ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->since != y->since ? (x->since < y->since ? -1 : 1) : strcmp(x->title, y->title);
}

/* Where a lane stands among the others: where it begins to differ. */
static void lane_place(const struct diff *d, struct diff_lane *lane, int side, uint32_t event)
{
    uint64_t rank = diff_rank(d, side, event), since = diff_since(d, side, event);
    if (rank > lane->rank || (rank == lane->rank && since >= lane->since))
        return;
    lane->rank = rank;
    lane->since = since;
}

/* Which gaps matter, and the lanes in the order in which they begin to differ. */
static void lanes_judge(struct diff *d)
{
    for (size_t i = 0; i < d->lanes; i++) {
        struct diff_lane *lane = &d->lane[i];
        lane->rank = lane->since = UINT64_MAX;
        for (size_t g = 0; g < lane->gaps; g++) {
            struct diff_gap *gap = &lane->gap[g];
            if (g % 1024 == 0)
                diff_drop(d);
            gap->matters = gap_matters(d, lane, gap);
            lane->matters |= gap->matters;
            gap_count(d, lane, gap);
            for (int side = 0; side < 2; side++) {
                if (gap->from[side] < gap->to[side] && (gap->matters || !lane->matters))
                    lane_place(d, lane, side, lane->list[side].item[gap->from[side]].event);
            }
        }
    }
    if (d->lanes)
        qsort(d->lane, d->lanes, sizeof *d->lane, by_rank);
}

/* --- all of it --- */

static bool nodes_pair(struct diff *d)
{
    size_t n = d->run[0]->nodes, m = d->run[1]->nodes;
    d->pair = malloc((n + 1) * sizeof *d->pair);
    d->back = malloc((m + 1) * sizeof *d->back);
    for (size_t i = 0; d->back && i < m; i++)
        d->back[i] = ALIGN_NONE;
    for (size_t i = 0; d->pair && d->back && i < n; i++) {
        size_t other = d->run[0]->node[i].raft ? diff_run_node(d->run[1], d->run[0]->node[i].name) : m;
        d->pair[i] = other < m ? other : ALIGN_NONE;
        if (other < m)
            d->back[other] = i;
    }
    return d->pair && d->back;
}

bool diff_init(struct diff *d, struct diff_run *a, struct diff_run *b, const struct diff_options *options)
{
    *d = (struct diff){.run = {a, b}, .options = *options, .items = {SPILL_INIT, SPILL_INIT}, .gaps = SPILL_INIT,
                       .marks = {SPILL_INIT, SPILL_INIT}, .ranks = {SPILL_INIT, SPILL_INIT}};
    bool room = spill_reserve(&d->marks[0], a->events + 1) && spill_reserve(&d->marks[1], b->events + 1);
    d->matched[0] = d->marks[0].base;
    d->matched[1] = d->marks[1].base;
    if (room && nodes_pair(d) && diff_terms_match(d) && elections_make(d, 0) &&
        elections_make(d, 1) && lanes_compare(d) && ranks_make(d, 0) &&
        ranks_make(d, 1)) {
        lanes_judge(d);
        diff_first_find(d);
        return true;
    }
    diff_fini(d);
    return false;
}

void diff_fini(struct diff *d)
{
    free(d->lane);
    spill_fini(&d->gaps);
    free(d->pair);
    free(d->back);
    for (int side = 0; side < 2; side++) {
        spill_fini(&d->items[side]);
        spill_fini(&d->marks[side]);
        spill_fini(&d->ranks[side]);
        free(d->terms[side].term);
        free(d->terms[side].label);
        free(d->elections[side].election);
    }
    *d = (struct diff){.lanes = 0};
}

enum diff_problem diff_check(const struct diff_run *a, const struct diff_run *b, char *words, size_t size)
{
    size_t in_a = 0, in_b = 0, common = 0;
    for (size_t i = 0; i < b->nodes; i++)
        in_b += b->node[i].raft && i != b->outside;
    for (size_t i = 0; i < a->nodes; i++) {
        const struct diff_node *n = &a->node[i];
        if (i == a->outside)
            continue;
        size_t other = n->raft ? diff_run_node(b, n->name) : b->nodes;
        in_a += n->raft;
        if (other == b->nodes || !b->node[other].raft)
            continue;
        common++;
        if (strcmp(n->program, b->node[other].program) != 0) {
            snprintf(words, size, "different programs: %s is %s in the one and %s in the other", n->name, n->program,
                     b->node[other].program);
            return DIFF_OTHER_PROGRAMS;
        }
    }
    snprintf(words, size, in_a && in_b ? "no node of the same name is in both"
                                       : "no Raft in %s: no message, file or mark that DRD knows as such",
             in_a ? "the second run" : in_b ? "the first run" : "both runs");
    return !in_a || !in_b ? DIFF_NO_RAFT : common ? DIFF_COMPARABLE : DIFF_NO_COMMON_NODE;
}
