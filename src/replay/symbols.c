#include "replay/symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "replay/object.h"

#define NAME_SIZE 256
#define KNOWN_MOST 1000 /* of one process: more callbacks than that has only a run made to keep us busy */

/* A file, opened when an address first asks for it; processes share them. */
struct file {
    struct file *next;
    struct build_id id;
    struct object *object;
    bool opened;
    char path[];
};

struct mapping {
    uint64_t base;
    struct file *file;
};

/* A name found, or that there is none (""): the same few callbacks are asked for thousands of times. */
struct known {
    struct known *next;
    uint64_t address;
    char name[];
};

struct space {
    struct space *next;
    struct known *known;
    struct mapping *mapping;
    size_t mappings;
    uint32_t process;
    unsigned knowns;
    bool images; /* what was mapped after the start is in `mapping` too */
};

struct symbols {
    struct store *store;
    struct file *file;
    struct space *space;
};

struct symbols *symbols_create(struct store *s)
{
    struct symbols *y = calloc(1, sizeof *y);
    if (y)
        y->store = s;
    return y;
}

static void space_free(struct space *space)
{
    for (struct known *k = space->known, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    free(space->mapping);
    free(space);
}

void symbols_destroy(struct symbols *y)
{
    if (!y)
        return;
    for (struct space *s = y->space, *next; s; s = next) {
        next = s->next;
        space_free(s);
    }
    for (struct file *f = y->file, *next; f; f = next) {
        next = f->next;
        object_close(f->object);
        free(f);
    }
    free(y);
}

static struct file *file_get(struct symbols *y, const char *path, const struct build_id *id)
{
    for (struct file *f = y->file; f; f = f->next)
        if (!strcmp(f->path, path) && f->id.length == id->length && !memcmp(f->id.byte, id->byte, id->length))
            return f;
    struct file *f = calloc(1, sizeof *f + strlen(path) + 1);
    if (!f)
        return NULL;
    strcpy(f->path, path);
    f->id = *id;
    f->next = y->file;
    return y->file = f;
}

static void space_map(struct symbols *y, struct space *space, const char *path, uint64_t base, const struct build_id *id)
{
    struct file *file = file_get(y, path, id);
    struct mapping *more = file ? realloc(space->mapping, (space->mappings + 1) * sizeof *more) : NULL;
    if (!more)
        return;
    more[space->mappings++] = (struct mapping){ base, file };
    space->mapping = more;
}

static void map_image(struct symbols *y, struct space *space, const struct trace_event *event)
{
    char path[4096];
    struct build_id id = { .length = event->field_bytes[3].length };
    struct trace_bytes name = event->field_bytes[0];
    if (!id.length || id.length > BUILD_ID_MAX || !name.data || name.length >= sizeof path)
        return;
    memcpy(path, name.data, name.length);
    path[name.length] = '\0';
    memcpy(id.byte, event->field_bytes[3].data, id.length);
    space_map(y, space, path, (uint64_t)event->field[1], &id);
}

/* What the loader had mapped. */
static void map_objects(struct symbols *y, struct space *space, const struct trace_event *start)
{
    struct manifest m;
    struct drd_error ignored = { 0 };
    if (!manifest_parse(&m, start->raw.data, start->raw.length, &ignored))
        return; /* forked: it has the memory of its parent */
    for (size_t i = 0; i < m.objects; i++) {
        const struct manifest_object *o = &m.object[i];
        space_map(y, space, o->path[0] ? o->path : m.program, (uint64_t)o->base, &o->id);
    }
    manifest_fini(&m);
}

/* The process whose memory a forked one began with, 0 if it began with none. Upwards only, so that a damaged run ends too. */
static uint32_t forked_from(const struct trace_event *start, uint32_t process)
{
    struct unpack how, parent;
    struct trace_bytes facts = start->field_bytes[0];
    if (!trace_map_find(facts, "how", &how) || how.type != UNPACK_STR || how.length != 4 || memcmp(how.data, "fork", 4) ||
        !trace_map_find(facts, "parent", &parent) || parent.type != UNPACK_INT)
        return 0;
    return parent.value > 0 && parent.value < process ? (uint32_t)parent.value : 0;
}

/* What the first record of a process says, or with `images` what all others say. Returns where to go on. */
static uint32_t map_process(struct symbols *y, struct space *space, uint32_t process, bool images)
{
    struct trace_event event;
    struct drd_error ignored = { 0 };
    uint32_t parent = 0;
    struct stream *st = stream_open(y->store, process, &ignored);
    if (st && stream_next(st, &event, &ignored) > 0 && event.code == TRACE_START) {
        parent = forked_from(&event, process);
        if (!images)
            map_objects(y, space, &event);
        while (images && stream_next(st, &event, &ignored) > 0)
            if (event.code == TRACE_IMAGE)
                map_image(y, space, &event);
    }
    stream_close(st);
    return parent;
}

static void map_all(struct symbols *y, struct space *space, bool images)
{
    for (uint32_t process = space->process; process;)
        process = map_process(y, space, process, images);
}

static struct space *space_get(struct symbols *y, uint32_t process)
{
    for (struct space *s = y->space; s; s = s->next)
        if (s->process == process)
            return s;
    struct space *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->process = process;
    s->next = y->space;
    y->space = s;
    map_all(y, s, false);
    return s;
}

/* The nearest below first: most often it is that one, and no other file need be opened. */
static const struct mapping *nearest_below(const struct space *space, uint64_t address)
{
    const struct mapping *best = NULL;
    for (size_t i = 0; i < space->mappings; i++)
        if (space->mapping[i].base <= address && (!best || space->mapping[i].base >= best->base))
            best = &space->mapping[i];
    return best;
}

static bool find_name(struct store *s, const struct space *space, uint64_t address, char name[NAME_SIZE])
{
    const struct mapping *m;
    for (uint64_t below = address; (m = nearest_below(space, below)); below = m->base - 1) {
        struct file *f = m->file;
        if (!f->opened)
            f->object = object_open(s, f->path, &f->id);
        f->opened = true;
        if (f->object && object_covers(f->object, address - m->base)) {
            object_name_at(f->object, address - m->base, name, NAME_SIZE);
            return true;
        }
        if (!m->base)
            break;
    }
    return false;
}

static const char *remember(struct space *space, uint64_t address, const char *name)
{
    struct known *k = malloc(sizeof *k + strlen(name) + 1);
    if (!k)
        return NULL;
    k->address = address;
    strcpy(k->name, name);
    k->next = space->known;
    space->known = k;
    space->knowns++;
    return *k->name ? k->name : NULL;
}

const char *symbols_at(struct symbols *y, uint32_t process, uint64_t address)
{
    char name[NAME_SIZE] = "";
    struct space *space = y ? space_get(y, process) : NULL;
    if (!space)
        return NULL;
    for (struct known *k = space->known; k; k = k->next)
        if (k->address == address)
            return *k->name ? k->name : NULL;
    if (space->knowns >= KNOWN_MOST)
        return NULL;
    if (!find_name(y->store, space, address, name) && !space->images) {
        space->images = true;
        map_all(y, space, true);
        find_name(y->store, space, address, name);
    }
    return remember(space, address, name);
}

void symbols_name_callback(struct symbols *y, struct trace_event *event)
{
    char text[32], *end;
    struct trace_bytes *callback = &event->field_bytes[3];
    if (event->code != TRACE_TIMER || callback->length < 3 || callback->length >= sizeof text || memcmp(callback->data, "0x", 2))
        return;
    memcpy(text, callback->data, callback->length);
    text[callback->length] = '\0';
    uint64_t address = strtoull(text, &end, 16);
    const char *name = *end ? NULL : symbols_at(y, event->process, address);
    if (name)
        *callback = (struct trace_bytes){ (const uint8_t *)name, strlen(name) };
}
