/* The files that the stopped process had mapped, as its stream says: libraries that were loaded later are no files in a replay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/plan.h"
#include "replay/stack.h"
#include "trace/msgpack.h"
#include "trace/record.h"

#define OBJECTS_MOST 4096

static void object_add(struct stack *s, const char *path, uint64_t base, const struct build_id *id)
{
    struct drd_error ignored = { 0 };
    if (path[0] != '/' || s->objects >= OBJECTS_MOST || !manifest_check_image(s->root, path, id, &ignored))
        return;
    struct stack_object *more = realloc(s->object, (s->objects + 1) * sizeof *more);
    if (!more)
        return;
    s->object = more;
    char *copy = strdup(path);
    if (copy)
        more[s->objects++] = (struct stack_object){ .path = copy, .base = base, .id = *id };
}

static void add_loaded(struct stack *s, const struct trace_event *start)
{
    struct manifest m;
    struct drd_error ignored = { 0 };
    if (!manifest_parse(&m, start->raw.data, start->raw.length, &ignored))
        return; /* of a forked process: the parent's */
    for (size_t i = 0; i < m.objects; i++) /* the loader calls the program itself "" */
        object_add(s, m.object[i].path[0] ? m.object[i].path : m.program, (uint64_t)m.object[i].base, &m.object[i].id);
    manifest_fini(&m);
}

/* A library is mapped in pieces; the first, which has a base, holds its head. */
static void add_image(struct stack *s, const struct trace_event *image)
{
    char path[4096];
    struct trace_bytes name = image->field_bytes[0], id = image->field_bytes[3];
    struct build_id recorded = { .length = id.length };
    if (!image->field[1] || !name.data || name.length >= sizeof path || id.length > BUILD_ID_MAX)
        return;
    memcpy(path, name.data, name.length);
    path[name.length] = 0;
    if (id.length)
        memcpy(recorded.byte, id.data, id.length);
    object_add(s, path, (uint64_t)image->field[1], &recorded);
}

static bool add_of_process(struct stack *s, uint32_t number, uint64_t until, bool images)
{
    struct trace_event event;
    struct drd_error ignored = { 0 };
    struct stream *st = stream_open(s->store, number, &ignored);
    bool ok = st && stream_next(st, &event, &ignored) > 0;
    if (ok)
        add_loaded(s, &event);
    while (ok && images && stream_next(st, &event, &ignored) > 0 && event.sequence < until)
        if (event.code == TRACE_IMAGE)
            add_image(s, &event);
    stream_close(st);
    return ok;
}

bool stack_objects(struct stack *s, bool images)
{
    size_t i = replay_plan_index(s->process, s->count, s->number);
    uint64_t until = s->sequence;
    stack_objects_fini(s);
    while (i < s->count && add_of_process(s, s->process[i].number, until, images) && s->process[i].forked) {
        size_t parent = replay_plan_index(s->process, s->count, s->process[i].parent);
        if (parent >= i)
            break;
        i = parent;
        until = UINT64_MAX;
    }
    return s->objects > 0;
}

/* The file behind a line of /proc/PID/maps that begins it; false: none, or not its beginning. proc(5) */
static bool map_line(char *line, uint64_t *base, char **path)
{
    unsigned long long from, to, offset;
    char *slash = strchr(line, '/');
    if (!slash || sscanf(line, "%llx-%llx %*4s %llx", &from, &to, &offset) != 3 || offset)
        return false;
    slash[strcspn(slash, "\n")] = 0;
    *base = from;
    *path = slash;
    return true;
}

bool stack_objects_live(struct stack *s, uint32_t pid)
{
    char name[64], line[4352], *path;
    uint64_t base;
    snprintf(name, sizeof name, "/proc/%u/maps", pid);
    FILE *maps = fopen(name, "re");
    stack_objects_fini(s);
    while (maps && fgets(line, sizeof line, maps)) {
        struct build_id id = { 0 };
        struct drd_error ignored = { 0 };
        if (map_line(line, &base, &path) && build_id_read(path, &id, &ignored))
            object_add(s, path, base, &id);
    }
    if (maps)
        fclose(maps);
    return s->objects > 0;
}

void stack_objects_fini(struct stack *s)
{
    for (size_t i = 0; i < s->objects; i++)
        free(s->object[i].path);
    free(s->object);
    s->object = NULL;
    s->objects = 0;
}
