/* The diff for programs: docs/diff.schema.json. */
#include "diff/diff.h"

#define CHANGES_MOST 10000

static void put_event(const struct diff *d, int side, const struct diff_event *event, uint32_t step, struct json_writer *j)
{
    char name[128], words[256];
    const struct diff_run *r = d->run[side];
    diff_run_event_name(r, event->process, event->sequence, name, sizeof name);
    diff_words(r, event, step, step, words, sizeof words);
    jw_object(j);
    jw_put_string(j, "event", name);
    jw_put_string(j, "node", r->node[event->node].name);
    jw_put_string(j, "kind", diff_kind_names[event->kind]);
    jw_put_uint(j, "time_ns", (uint64_t)event->time * 100000);
    jw_put_string(j, "text", words);
    if (event->trigger != UINT64_MAX) {
        diff_run_event_name(r, event->process, event->trigger, name, sizeof name);
        jw_put_string(j, "received", name);
    }
    if (event->again) {
        diff_run_event_name(r, event->process, event->sequence + event->again, name, sizeof name);
        jw_put_string(j, "again", name);
    }
    jw_end(j);
}

static void put_runs(const struct diff_view *v, struct json_writer *j)
{
    static const char *const keys[] = {"a", "b"};
    for (int side = 0; side < 2; side++) {
        const struct diff_name *n = &v->name[side];
        jw_key(j, keys[side]);
        jw_object(j);
        jw_put_string(j, "run", n->run);
        jw_put_string(j, "command", n->command);
        jw_put_string(j, "started", n->started);
        jw_put_string(j, "drd_version", n->version);
        jw_put_string(j, "state", n->state);
        jw_put_uint(j, "messages", v->diff->run[side]->messages);
        jw_end(j);
    }
}

static void put_first(const struct diff *d, struct json_writer *j)
{
    static const char *const keys[] = {"a", "b"}, *const causes[] = {"a_cause", "b_cause"}, *const afters[] = {"a_after", "b_after"};
    const struct diff_first *first = &d->first;
    jw_key(j, "first");
    if (!first->any) {
        jw_null(j);
        return;
    }
    jw_object(j);
    jw_put_string(j, "lane", first->lane->title);
    for (int side = 0; side < 2; side++) {
        jw_key(j, keys[side]);
        if (first->event[side])
            put_event(d, side, first->event[side], first->step[side], j);
        else
            jw_null(j);
        jw_key(j, causes[side]);
        if (first->cause[side])
            put_event(d, side, first->cause[side], 0, j);
        else
            jw_null(j);
        jw_key(j, afters[side]);
        if (first->after[side])
            put_event(d, side, first->after[side], 0, j);
        else
            jw_null(j);
    }
    jw_put_string(j, "why", first->why);
    jw_end(j);
}

static void put_count(const char *key, const struct diff_count *count, struct json_writer *j)
{
    jw_key(j, key);
    jw_object(j);
    jw_put_uint(j, "missing", count->missing);
    jw_put_uint(j, "extra", count->extra);
    jw_put_uint(j, "changed", count->changed);
    jw_end(j);
}

static void put_change(const struct diff *d, const struct diff_item *a, const struct diff_item *b, struct json_writer *j)
{
    jw_object(j);
    jw_put_string(j, "change", a && b ? "changed" : a ? "missing" : "extra");
    jw_key(j, "a");
    if (a)
        put_event(d, 0, diff_event(d, 0, a), a->step, j);
    else
        jw_null(j);
    jw_key(j, "b");
    if (b)
        put_event(d, 1, diff_event(d, 1, b), b->step, j);
    else
        jw_null(j);
    jw_end(j);
}

static void put_gap(const struct diff *d, const struct diff_lane *lane, const struct diff_gap *gap, size_t *left,
                    struct json_writer *j)
{
    const struct diff_item *a = lane->list[0].item, *b = lane->list[1].item;
    size_t x = gap->from[0], y = gap->from[1];
    for (; *left && x < gap->to[0] && y < gap->to[1] && diff_is_change(d, &a[x], &b[y]); x++, y++, --*left)
        put_change(d, &a[x], &b[y], j);
    for (; *left && x < gap->to[0]; x++, --*left)
        put_change(d, &a[x], NULL, j);
    for (; *left && y < gap->to[1]; y++, --*left)
        put_change(d, NULL, &b[y], j);
}

static void put_lanes(const struct diff *d, struct json_writer *j)
{
    size_t left = CHANGES_MOST;
    jw_key(j, "lanes");
    jw_array(j);
    for (size_t i = 0; i < d->lanes; i++) {
        const struct diff_lane *lane = &d->lane[i];
        for (size_t g = 0; g < lane->gaps && left; g++) {
            jw_object(j);
            jw_put_string(j, "lane", lane->title);
            jw_put_bool(j, "matters", lane->gap[g].matters);
            jw_key(j, "changes");
            jw_array(j);
            put_gap(d, lane, &lane->gap[g], &left, j);
            jw_end(j);
            jw_end(j);
        }
    }
    jw_end(j);
    jw_put_bool(j, "cut", left == 0);
}

void diff_json(const struct diff_view *v, struct json_writer *j)
{
    const struct diff *d = v->diff;
    jw_object(j);
    jw_put_string(j, "schema", "drd.diff/1");
    put_runs(v, j);
    jw_put_bool(j, "differs", d->first.any);
    put_first(d, j);
    jw_put_uint(j, "equal", d->same);
    put_count("matter", &d->matter, j);
    put_count("other", &d->rest, j);
    put_lanes(d, j);
    jw_end(j);
}
