#include "explore/ddmin.h"

#include <stdlib.h>
#include <string.h>

static size_t left(const struct ddmin *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++)
        n += d->kept[i];
    return n;
}

/* All that is kept but those whose ordinals among the kept are from `begin` to before `end`. */
static void without(const struct ddmin *d, size_t begin, size_t end, bool *out)
{
    size_t nth = 0;
    for (size_t i = 0; i < d->count; i++) {
        out[i] = d->kept[i] && !(nth >= begin && nth < end);
        nth += d->kept[i];
    }
}

static bool over(const struct ddmin *d)
{
    return d->over && d->over(d->context);
}

/* Parts of `size` elements are left out, one after another. What stood behind a part that went is at its place then: the parts
 * before it are not asked again, since without more they were needed. The number of parts that went. */
static size_t pass(struct ddmin *d, size_t size, bool *candidate)
{
    size_t gone = 0;
    for (size_t from = 0, now = left(d); from < now && !over(d);) {
        size_t count = 0;
        for (; count < DDMIN_CANDIDATES && from + count * size < now; count++)
            without(d, from + count * size, from + (count + 1) * size, candidate + count * d->count);
        size_t found = d->fails(d->context, candidate, count);
        from += found * size;
        if (found == count)
            continue;
        memcpy(d->kept, candidate + found * d->count, d->count * sizeof *d->kept);
        now = left(d);
        gone++;
    }
    return gone;
}

bool ddmin_run(struct ddmin *d)
{
    size_t size = left(d);
    bool *candidate = size ? calloc(DDMIN_CANDIDATES * d->count, sizeof *candidate) : NULL;
    if (size && !candidate)
        return false;
    while (size && !over(d)) {
        size_t gone = pass(d, size, candidate), now = left(d);
        if (size == 1 && !gone)
            break;
        size = size == 1 ? 1 : (size + 1) / 2;
        size = size < now ? size : now;
    }
    free(candidate);
    return true;
}
