/* Adapter for raftkv: which entries its log holds, file by file. Appending and reading back show each record; a file that
 * is cut short, or renamed over another, changes the log without one: only what was in it before tells what that means. */
#include "protocol/raftkv.h"

#include <stdlib.h>

/* Records whose ends are remembered: only the end of a log is cut, and what is older was compacted long ago. */
#define RECORDS_KEPT 65536

struct shape_record {
    uint64_t end;  /* offset in the file */
    uint64_t last; /* index with which the log ends there */
};

struct raftkv_shape {
    uint64_t base, base_term;
    struct shape_record *record;
    size_t count, capacity;
    bool cut;      /* older records were let go of */
};

static uint64_t path_key(const char *path)
{
    return map_key(path, strlen(path));
}

static void shape_free(struct raftkv_shape *s)
{
    if (s)
        free(s->record);
    free(s);
}

static void shape_forget(struct raftkv *r, const char *path)
{
    shape_free(map_remove(&r->shapes, path_key(path)));
}

void raftkv_shapes_fini(struct raftkv *r)
{
    for (size_t i = 0; i < r->shapes.capacity; i++)
        shape_free(r->shapes.slot[i].value);
    map_fini(&r->shapes);
}

void raftkv_shape_begin(struct raftkv *r, const char *path, uint64_t base, uint64_t base_term)
{
    shape_forget(r, path);
    struct raftkv_shape *s = calloc(1, sizeof *s);
    if (!s)
        return; /* what the file holds stays unknown */
    s->base = base;
    s->base_term = base_term;
    if (!map_put(&r->shapes, path_key(path), s))
        shape_free(s);
}

static bool shape_reserve(struct raftkv_shape *s)
{
    if (s->count < s->capacity)
        return true;
    if (s->count == RECORDS_KEPT) {
        s->count /= 2;
        memmove(s->record, s->record + s->count, s->count * sizeof *s->record);
        s->cut = true;
        return true;
    }
    size_t capacity = s->capacity ? 2 * s->capacity : 16;
    struct shape_record *record = realloc(s->record, capacity * sizeof *record);
    if (!record)
        return false;
    s->record = record;
    s->capacity = capacity;
    return true;
}

void raftkv_shape_record(struct raftkv *r, const char *path, uint64_t end, uint64_t last)
{
    struct raftkv_shape *s = map_get(&r->shapes, path_key(path));
    if (!s)
        return;
    if (shape_reserve(s))
        s->record[s->count++] = (struct shape_record){end, last};
    else
        shape_forget(r, path);
}

static uint64_t shape_last(const struct raftkv_shape *s)
{
    return s->count ? s->record[s->count - 1].last : s->base;
}

static bool is_log(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, "log") == 0;
}

/* Cut short, the log ends with the last record that is still whole. */
void raftkv_resized(void *state, struct walk *w, const char *path, uint64_t size, const struct flow_at *at)
{
    struct raftkv *r = state;
    struct raftkv_shape *s = map_get(&r->shapes, path_key(path));
    if (!s)
        return;
    uint64_t last = shape_last(s);
    while (s->count && s->record[s->count - 1].end > size)
        s->count--;
    if (size < RAFTKV_LOG || (!s->count && s->cut)) {
        shape_forget(r, path);
        return;
    }
    if (is_log(path) && shape_last(s) != last)
        walk_fact(w, &adapter_raftkv, at,
                  &(struct raft_fact){.kind = RAFT_FACT_TRUNCATE, .index = shape_last(s), .written = true});
}

void raftkv_renamed(void *state, struct walk *w, const char *from, const char *to, const struct flow_at *at)
{
    struct raftkv *r = state;
    struct raftkv_shape *s = map_remove(&r->shapes, path_key(from));
    shape_forget(r, to);
    if (!s)
        return;
    struct raft_fact fact = {.kind = RAFT_FACT_REWRITTEN, .index = s->base, .term = s->base_term, .written = true};
    fact.entry.index = shape_last(s);
    if (is_log(to))
        walk_fact(w, &adapter_raftkv, at, &fact);
    if (!map_put(&r->shapes, path_key(to), s))
        shape_free(s);
}

void raftkv_removed(void *state, struct walk *w, const char *path, const struct flow_at *at)
{
    (void)w, (void)at;
    shape_forget(state, path);
}
