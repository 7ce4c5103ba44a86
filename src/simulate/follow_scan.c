/* What of a recording must be known before it is gone through. Times say only that a record was not made earlier: a process that was
 * kept from running writes down what it knew before. So which connects were accepted is looked up, not concluded from times. */
#include "simulate/follow_internal.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses ---- */

/* IPv4 as ::ffff:a.b.c.d: the two ends may see it in either form. */
static bool address_key(struct trace_bytes from, uint8_t key[18])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memset(key, 0, 18);
    if (from.data && from.length >= sizeof v6 && (memcpy(&v6, from.data, sizeof v6), v6.sin6_family == AF_INET6)) {
        memcpy(key, &v6.sin6_addr, 16);
        memcpy(key + 16, &v6.sin6_port, 2);
        return true;
    }
    if (!from.data || from.length < sizeof v4 || (memcpy(&v4, from.data, sizeof v4), v4.sin_family != AF_INET))
        return false;
    memset(key + 10, 0xff, 2);
    memcpy(key + 12, &v4.sin_addr, 4);
    memcpy(key + 16, &v4.sin_port, 2);
    return true;
}

/* ---- pairs ---- */

bool pairs_add(struct pairs *all, struct trace_bytes from, struct trace_bytes to)
{
    if (all->count == all->capacity) {
        size_t capacity = 2 * all->capacity + 64;
        struct pair *more = realloc(all->pair, capacity * sizeof *more);
        if (!more)
            return false;
        all->pair = more;
        all->capacity = capacity;
    }
    struct pair *p = &all->pair[all->count];
    all->count += address_key(from, p->from) && address_key(to, p->to);
    return true;
}

static int by_bytes(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct pair));
}

void pairs_sort(struct pairs *all)
{
    if (all->count)
        qsort(all->pair, all->count, sizeof *all->pair, by_bytes);
}

bool pairs_have(const struct pairs *all, struct trace_bytes from, struct trace_bytes to)
{
    struct pair p;
    return all->count && address_key(from, p.from) && address_key(to, p.to) &&
           bsearch(&p, all->pair, all->count, sizeof p, by_bytes) != NULL;
}

/* ---- the recording ---- */

static bool event_scan(struct follow *f, const struct trace_event *event)
{
    if (event->code == TRACE_EXEC)
        f->faults_inside |= exec_is_fault(event);
    if (event->code != TRACE_CONNECTION || event->field[1] > 2)
        return true;
    if (event->field[1] == 2)
        return pairs_add(&f->listened, event->field_bytes[2], event->field_bytes[2]);
    bool accepted = event->field[1] == 1;
    struct trace_bytes here = event->field_bytes[2], there = event->field_bytes[3];
    return pairs_add(accepted ? &f->accepted : &f->connected, accepted ? there : here, accepted ? here : there);
}

static bool stream_scan(struct follow *f, uint32_t process, struct drd_error *e)
{
    struct stream *s = stream_open(f->store, process, e);
    struct trace_event event;
    int more = s ? 1 : -1;
    bool room = true;
    while (room && more == 1 && (more = stream_next(s, &event, e)) == 1)
        room = event_scan(f, &event);
    stream_close(s);
    return more >= 0 && (room || error_set(e, DRD_EXIT_CANNOT, "out of memory"));
}

bool follow_scan(struct follow *f, struct drd_error *e)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->row[i].number && f->row[i].events && !stream_scan(f, f->row[i].number, e))
            return false;
    pairs_sort(&f->accepted);
    pairs_sort(&f->connected);
    pairs_sort(&f->listened);
    return true;
}
