/* Where two runs parted: the earliest difference that matters, and what it came of.
 *
 * Earliest is what comes after the fewest events that are equal: that compares across the runs, whose clocks do not. Where
 * a node had received the same message in both and answered otherwise, the node is the cause; where it had not, what
 * reached it is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "diff/align.h"
#include "diff/diff.h"

#define NOWHERE UINT32_MAX

struct candidate {
    const struct diff_lane *lane;
    const struct diff_gap *gap;
    int side;
    size_t item;
    uint64_t rank, since; /* since: time after the last event that is equal */
    uint32_t event[2];    /* where it is on either side */
    bool weak;            /* the test ends its nodes: only if there is nothing else to tell */
};

/* In a loop over what may be more than memory should hold. */
static void drop_now_and_then(const struct diff *d, size_t i)
{
    if (i % DIFF_STRIDE == 0)
        diff_drop(d);
}

static bool is_weak(const struct diff_event *event)
{
    int status = (int)event->index;
    return event->kind == DIFF_EXIT && (status <= 0 || WIFSIGNALED(status));
}

uint64_t diff_since(const struct diff *d, int side, uint32_t event)
{
    const struct diff_event *all = d->run[side]->event;
    uint32_t i = event;
    while (i && !d->matched[side][i - 1] && event - i < 1000)
        i--;
    return all[event].time - (i && all[i - 1].time < all[event].time ? all[i - 1].time : all[event].time);
}

/* What a test does next is often its answer to what the nodes did. */
static uint64_t tests_delay(const struct candidate *c)
{
    return strcmp(c->lane->title, "the test, faults") ? 0 : 4;
}

static bool is_earlier(const struct candidate *a, const struct candidate *b)
{
    if (!b->lane || a->weak != b->weak)
        return !b->lane || b->weak;
    uint64_t x = a->rank + tests_delay(a), y = b->rank + tests_delay(b);
    if (x != y)
        return x < y;
    for (int side = 0; side < 2; side++) {
        if (a->event[side] != NOWHERE && b->event[side] != NOWHERE)
            return a->event[side] < b->event[side];
    }
    return a->since < b->since;
}

static void gap_candidate(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap,
                          struct candidate *best)
{
    for (int side = 0; side < 2; side++) {
        for (size_t i = gap->from[side]; i < gap->to[side]; i++) {
            const struct diff_item *item = &lane->list[side].item[i];
            struct candidate c = {.lane = lane, .gap = gap, .side = side, .item = i,
                                  .rank = diff_rank(d, side, item->event)};
            if (!diff_matters(d, lane, gap, side, i))
                continue;
            c.since = diff_since(d, side, item->event);
            c.weak = is_weak(diff_event(d, side, item));
            c.event[side] = item->event;
            c.event[!side] = gap->from[!side] < gap->to[!side] ? lane->list[!side].item[gap->from[!side]].event : NOWHERE;
            if (is_earlier(&c, best))
                *best = c;
            break;
        }
    }
}

struct instead {
    const struct diff_item *item;
    uint64_t rank;
};

/* The first thing that only the other side's node did, if it did it on the same message, or right there. */
static void lane_instead(const struct diff *d, const struct candidate *c, const struct diff_lane *lane, struct instead *best)
{
    int other = !c->side;
    const struct diff_event *own = diff_event(d, c->side, &c->lane->list[c->side].item[c->item]);
    for (size_t g = 0; g < lane->gaps; g++) {
        drop_now_and_then(d, g * 8);
        for (size_t i = lane->gap[g].from[other]; i < lane->gap[g].to[other]; i++) {
            const struct diff_item *item = &lane->list[other].item[i];
            const struct diff_event *event = diff_event(d, other, item);
            if (!diff_matters(d, lane, &lane->gap[g], other, i) || is_weak(event) ||
                (best->item && item->event >= best->item->event))
                continue;
            bool same = own->trigger != UINT64_MAX && event->trigger != UINT64_MAX &&
                own->trigger_type == event->trigger_type &&
                        diff_term_label(d, c->side, own->trigger_term) == diff_term_label(d, other, event->trigger_term) &&
                        diff_peer_label(d, c->side, own->trigger_peer) == diff_peer_label(d, other, event->trigger_peer);
            uint64_t rank = diff_rank(d, other, item->event);
            if (same && rank <= c->rank + 8 && rank + 8 >= c->rank)
                *best = (struct instead){item, rank};
        }
    }
}

static const struct diff_item *instead(const struct diff *d, const struct candidate *c)
{
    struct instead best = {NULL, 0};
    for (size_t i = 0; i < d->lanes; i++) {
        if (d->lane[i].node[0] == c->lane->node[0] && d->lane[i].node[1] == c->lane->node[1] && d->lane[i].matters)
            lane_instead(d, c, &d->lane[i], &best);
    }
    return best.item;
}

/* What the other side has in its place: the same thing with another outcome, else what it does there instead. */
static const struct diff_item *counterpart(const struct diff *d, const struct candidate *c)
{
    int other = !c->side;
    const struct diff_item *own = &c->lane->list[c->side].item[c->item];
    for (size_t i = c->gap->from[other]; i < c->gap->to[other]; i++) {
        const struct diff_item *item = &c->lane->list[other].item[i];
        if (c->item == c->gap->from[c->side] && diff_matters(d, c->lane, c->gap, other, i))
            return item; /* both begin with it */
        if (c->side == 0 ? diff_is_change(d, own, item) : diff_is_change(d, item, own))
            return item;
    }
    return instead(d, c);
}

/* --- causes --- */

/* The event of a received message, by its number in the process. */
static const struct diff_event *received_at(const struct diff_run *r, const struct diff_event *event)
{
    for (size_t i = (size_t)(event - r->event); i-- > 0 && (size_t)(event - r->event) - i < 4096;) {
        const struct diff_event *e = &r->event[i];
        if (e->process == event->process && e->sequence == event->trigger && e->type == event->trigger_type)
            return e;
    }
    return NULL;
}

/* The equal event on the other side. */
static const struct diff_event *same_received(const struct diff *d, int side, const struct diff_event *received, size_t node)
{
    const struct diff_run *r = d->run[!side];
    uint64_t label = diff_term_label(d, side, received->term), peer = diff_peer_label(d, side, received->peer);
    for (size_t i = 0; i < r->events; i++) {
        const struct diff_event *e = &r->event[i];
        drop_now_and_then(d, i);
        if (e->node == node && e->kind == received->kind && e->type == received->type && !(e->flags & DIFF_SENT) &&
            e->flags == received->flags && e->index == received->index && e->content == received->content && diff_term_label(d, !side, e->term) == label &&
            diff_peer_label(d, !side, e->peer) == peer)
            return e;
    }
    return NULL;
}

static const char *asked(uint8_t type)
{
    static const char *const names[] = {
        [RAFT_REQUEST_VOTE] = "RequestVote", [RAFT_REQUEST_VOTE_RESULT] = "answer to its RequestVote",
        [RAFT_APPEND_ENTRIES] = "AppendEntries", [RAFT_APPEND_ENTRIES_RESULT] = "answer to its AppendEntries",
        [RAFT_INSTALL_SNAPSHOT] = "InstallSnapshot", [RAFT_INSTALL_SNAPSHOT_RESULT] = "answer to its InstallSnapshot",
        [RAFT_TIMEOUT_NOW] = "TimeoutNow", [RAFT_CLIENT_REQUEST] = "request of a client",
    };
    return type < sizeof names / sizeof *names && names[type] ? names[type] : "message";
}

static void milliseconds(uint32_t tenths, char *out, size_t size)
{
    snprintf(out, size, "%" PRIu32 ".%" PRIu32 " ms", tenths / 10, tenths % 10);
}

/* Both did it, or not, after the same message: the node decided otherwise. */
static bool why_message(struct diff *d, struct diff_first *first, int side)
{
    const struct diff_event *event = first->event[side], *other = first->event[!side];
    const struct diff_event *received = event->trigger == UINT64_MAX ? NULL : received_at(d->run[side], event);
    size_t node = first->lane->node[!side];
    char names[2][128];
    if (other && other->trigger_type == event->trigger_type && event->trigger != UINT64_MAX &&
        other->trigger != UINT64_MAX &&
        diff_term_label(d, side, event->trigger_term) == diff_term_label(d, !side, other->trigger_term) &&
        diff_peer_label(d, side, event->trigger_peer) == diff_peer_label(d, !side, other->trigger_peer)) {
        diff_run_event_name(d->run[side], event->process, event->trigger, names[side], sizeof names[side]);
        diff_run_event_name(d->run[!side], other->process, other->trigger, names[!side], sizeof names[!side]);
        snprintf(first->why, sizeof first->why,
                 "the node had received the same %s last (A %s, B %s) and acted otherwise on it",
                 asked(event->trigger_type), names[0], names[1]);
        return true;
    }
    const struct diff_event *same = received && node != ALIGN_NONE ? same_received(d, side, received, node) : NULL;
    if (!same)
        return false;
    first->cause[side] = received;
    first->cause[!side] = same;
    diff_run_event_name(d->run[side], received->process, received->sequence, names[side], sizeof names[side]);
    diff_run_event_name(d->run[!side], same->process, same->sequence, names[!side], sizeof names[!side]);
    snprintf(first->why, sizeof first->why, "the same %s%s%s reached it in both (A %s, B %s); only %c did this after it",
             asked(received->type), received->peer == DIFF_NO_PEER ? "" : " of ", diff_run_peer(d->run[side], received->peer),
             names[0], names[1], 'A' + side);
    return true;
}

/* When the process of an event began, by the events of its node. */
static uint32_t since_start(const struct diff_run *r, const struct diff_event *event)
{
    for (const struct diff_event *e = event; e-- > r->event;) {
        if (e->node == event->node && e->kind == DIFF_START)
            return event->time - e->time;
    }
    return event->time;
}

/* Nobody tells a node to become a candidate: which timer fired first in either run. */
static void why_candidate(struct diff *d, struct diff_first *first, int side)
{
    const struct diff_event *event = first->event[side];
    const struct diff_run *r = d->run[!side];
    char at[2][32];
    milliseconds(since_start(d->run[side], event), at[0], sizeof at[0]);
    for (size_t i = 0; i < r->events; i++) {
        const struct diff_event *e = &r->event[i];
        drop_now_and_then(d, i);
        if (e->kind != DIFF_CANDIDATE || diff_term_label(d, !side, e->term) != diff_term_label(d, side, event->term))
            continue;
        milliseconds(since_start(r, e), at[1], sizeof at[1]);
        first->cause[!side] = e;
        snprintf(first->why, sizeof first->why,
                 "in %c the election timer of %s fired, %s after its start; in %c that of %s, %s after its",
                 'A' + side, d->run[side]->node[event->node].name, at[0], 'A' + !side, r->node[e->node].name, at[1]);
        return;
    }
    snprintf(first->why, sizeof first->why,
             "its election timer fired, or it was told to, %s after its start; in %c nobody was candidate of that term",
             at[0], 'A' + !side);
}

static void why_only(struct diff *d, struct diff_first *first, int side)
{
    const struct diff_event *event = first->event[side];
    char name[128];
    if (event->kind == DIFF_CANDIDATE) {
        why_candidate(d, first, side);
        return;
    }
    if (event->trigger == UINT64_MAX) {
        snprintf(first->why, sizeof first->why, "it had received no message: its own timer, clock or program decided");
        return;
    }
    diff_run_event_name(d->run[side], event->process, event->trigger, name, sizeof name);
    snprintf(first->why, sizeof first->why,
             "in %c it had received %s%s%s last (%s); in %c that did not lead to it, or came at another time",
             'A' + side, asked(event->trigger_type), event->trigger_peer == DIFF_NO_PEER ? "" : " of ",
             diff_run_peer(d->run[side], event->trigger_peer), name, 'A' + !side);
}

/* The same elsewhere in the other run: an order, or a time, is what differs. */
static bool why_order(struct diff *d, struct diff_first *first, int side)
{
    const struct diff_list *list = &first->lane->list[!side];
    const struct diff_event *event = first->event[side];
    char at[2][32];
    for (size_t i = 0; i < list->count; i++) {
        const struct diff_event *e = diff_event(d, !side, &list->item[i]);
        drop_now_and_then(d, i);
        if (e->kind != event->kind || e->peer == DIFF_NO_PEER || event->kind == DIFF_MESSAGE ||
            diff_peer_label(d, !side, e->peer) != diff_peer_label(d, side, event->peer) || e->index != event->index ||
            diff_term_label(d, !side, e->term) != diff_term_label(d, side, event->term))
            continue;
        milliseconds(event->time, at[side], sizeof at[side]);
        milliseconds(e->time, at[!side], sizeof at[!side]);
        snprintf(first->why, sizeof first->why, "both do it, in another order: after %s in A, after %s in B", at[0], at[1]);
        return true;
    }
    return false;
}

static void why(struct diff *d, struct diff_first *first, int side)
{
    const struct diff_event *event = first->event[side];
    switch (event->kind) {
    case DIFF_START: case DIFF_EXIT: case DIFF_FAULT:
        snprintf(first->why, sizeof first->why,
                 "it came from outside: the test, drd fault or the system did it to the node");
        return;
    case DIFF_APPLY:
        if (!first->event[0] || !first->event[1])
            break;
        snprintf(first->why, sizeof first->why,
                 "all entries before are equal: the state machine took something else in, or its state differed before");
        return;
    case DIFF_WRITE_FAILED:
        snprintf(first->why, sizeof first->why, "the disk answered otherwise");
        return;
    default:
        break;
    }
    if (!why_order(d, first, side) && !why_message(d, first, side))
        why_only(d, first, side);
}

/* The last thing before it that its node did in both. */
static const struct diff_event *after(const struct diff *d, int side, const struct diff_event *event)
{
    const struct diff_run *r = d->run[side];
    for (size_t i = (size_t)(event - r->event), n = 0; i-- > 0 && n < 100000; n++) {
        if (d->matched[side][i] && r->event[i].node == event->node)
            return &r->event[i];
    }
    return NULL;
}

/* The same on the other side: as many equal ones come before it. */
static const struct diff_event *equal_event(const struct diff *d, int side, const struct diff_event *event)
{
    const struct diff_run *own = d->run[side], *r = d->run[!side];
    size_t node = side ? d->back[event->node] : d->pair[event->node], before = 0;
    uint64_t wanted = diff_meaning_of(d, side, event, 0);
    for (const struct diff_event *e = own->event; e < event; e++) {
        drop_now_and_then(d, (size_t)(e - own->event));
        before += e->node == event->node && e->kind == event->kind && d->matched[side][e - own->event] &&
                  diff_meaning_of(d, side, e, 0) == wanted;
    }
    for (size_t i = 0; node != ALIGN_NONE && i < r->events; i++) {
        const struct diff_event *e = &r->event[i];
        drop_now_and_then(d, i);
        if (e->node == node && e->kind == event->kind && d->matched[!side][i] && diff_meaning_of(d, !side, e, 0) == wanted &&
            !before--)
            return e;
    }
    return NULL;
}

static void after_find(const struct diff *d, struct diff_first *first)
{
    for (int side = 0; side < 2; side++)
        first->after[side] = first->event[side] ? after(d, side, first->event[side]) : NULL;
    for (int side = 0; side < 2; side++) {
        if (!first->event[side] && first->after[!side])
            first->after[side] = equal_event(d, !side, first->after[!side]);
    }
}

void diff_first_find(struct diff *d)
{
    struct candidate best = {.lane = NULL};
    for (size_t i = 0; i < d->lanes; i++) {
        for (size_t g = 0; g < d->lane[i].gaps; g++) {
            drop_now_and_then(d, g * 8);
            if (d->lane[i].gap[g].matters)
                gap_candidate(d, &d->lane[i], &d->lane[i].gap[g], &best);
        }
    }
    if (!best.lane)
        return;
    struct diff_first *first = &d->first;
    const struct diff_item *own = &best.lane->list[best.side].item[best.item], *other = counterpart(d, &best);
    first->any = true;
    first->lane = best.lane;
    first->event[best.side] = diff_event(d, best.side, own);
    first->step[best.side] = own->step;
    if (other) {
        first->event[!best.side] = diff_event(d, !best.side, other);
        first->step[!best.side] = other->step;
    }
    after_find(d, first);
    why(d, first, best.side);
}
