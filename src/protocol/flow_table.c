#include "protocol/flow_internal.h"

#include <stdlib.h>
#include <string.h>

struct description *description_create(struct flow *f, enum description_kind kind, uint64_t born)
{
    struct description *d = calloc(1, sizeof *d);
    if (!d) {
        f->failed = true;
        return NULL;
    }
    d->references = 1;
    d->kind = kind;
    d->born = born;
    return d;
}

void description_unref(struct flow *f, struct description *d, const struct flow_at *at)
{
    if (!d || --d->references)
        return;
    if (d->end)
        flow_end_close(f, d->end, at);
    if (d->file)
        flow_file_unref(f, d->file);
    free(d);
}

struct description *table_get(const struct process *p, int64_t fd)
{
    return fd >= 0 && fd < p->table.capacity ? p->table.slot[fd].description : NULL;
}

static bool table_reserve(struct table *t, int64_t fd)
{
    if (fd < t->capacity)
        return true;
    int capacity = t->capacity ? t->capacity : 64;
    while (capacity <= fd)
        capacity *= 2;
    struct descriptor *slot = realloc(t->slot, (size_t)capacity * sizeof *slot);
    if (!slot)
        return false;
    memset(slot + t->capacity, 0, (size_t)(capacity - t->capacity) * sizeof *slot);
    *t = (struct table){slot, capacity};
    return true;
}

void table_put(struct flow *f, struct process *p, int64_t fd, struct description *d, bool close_on_exec,
               const struct flow_at *at)
{
    if (!d)
        return;
    if (fd < 0 || fd >= DESCRIPTOR_MAX || !table_reserve(&p->table, fd)) {
        f->failed |= fd >= 0 && fd < DESCRIPTOR_MAX;
        description_unref(f, d, at);
        return;
    }
    struct description *old = p->table.slot[fd].description;
    p->table.slot[fd] = (struct descriptor){d, close_on_exec};
    description_unref(f, old, at);
}

void table_close(struct flow *f, struct process *p, int64_t fd, const struct flow_at *at)
{
    struct description *d = table_get(p, fd);
    if (!d)
        return;
    p->table.slot[fd] = (struct descriptor){NULL, false};
    description_unref(f, d, at);
}

void table_close_on_exec(struct process *p, int64_t fd, bool value)
{
    if (table_get(p, fd))
        p->table.slot[fd].close_on_exec = value;
}

void table_release(struct flow *f, struct table *t, const struct flow_at *at)
{
    for (int fd = 0; fd < t->capacity; fd++)
        description_unref(f, t->slot[fd].description, at);
    free(t->slot);
    *t = (struct table){NULL, 0};
}

struct table table_copy(struct flow *f, const struct table *t, bool for_exec)
{
    struct table copy = {calloc((size_t)t->capacity + 1, sizeof *copy.slot), t->capacity};
    if (!copy.slot) {
        f->failed = true;
        return (struct table){NULL, 0};
    }
    for (int fd = 0; fd < t->capacity; fd++) {
        struct descriptor *s = &t->slot[fd];
        if (!s->description || (for_exec && s->close_on_exec))
            continue;
        copy.slot[fd] = *s;
        s->description->references++;
    }
    return copy;
}

struct process *flow_process(struct flow *f, uint32_t number)
{
    struct process *p = map_get(&f->processes, number);
    if (p)
        return p;
    p = calloc(1, sizeof *p);
    if (!p || !map_put(&f->processes, number, p)) {
        free(p);
        f->failed = true;
        return NULL;
    }
    p->number = number;
    return p;
}

static void begun_free(struct begun *b)
{
    while (b) {
        struct begun *next = b->next;
        for (int i = 0; i < 6; i++)
            free((void *)b->input[i].data);
        free(b);
        b = next;
    }
}

static void submissions_free(struct flow *f, struct submission *s, const struct flow_at *at)
{
    while (s) {
        struct submission *next = s->next;
        description_unref(f, s->description, at);
        free(s->data);
        free(s);
        s = next;
    }
}

void flow_process_free(struct flow *f, struct process *p, const struct flow_at *at)
{
    begun_free(p->begun);
    submissions_free(f, p->submission, at);
    for (struct inheritance *h = p->heirs, *next; h; h = next) {
        next = h->next;
        table_release(f, &h->table, at);
        free(h->cwd);
        free(h);
    }
    for (size_t i = 0; i < MAPPINGS_MAX; i++)
        flow_file_unref(f, p->mapping[i].file);
    table_release(f, &p->table, at);
    table_release(f, &p->parent_table, at);
    free(p->cwd);
    map_remove(&f->processes, p->number);
    free(p);
}
