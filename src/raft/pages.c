#include "raft/pages.h"

#include <stdlib.h>
#include <string.h>

struct page {
    uint64_t number; /* index / PAGE_CELLS */
    uint64_t cells[];
};

void pages_init(struct pages *p, size_t cell_size)
{
    *p = (struct pages){.cell_size = (cell_size + 7) & ~(size_t)7};
}

void pages_fini(struct pages *p)
{
    for (size_t i = 0; i < p->capacity; i++)
        free(p->table[i]);
    free(p->table);
    pages_init(p, p->cell_size);
}

static size_t page_home(uint64_t number, size_t capacity)
{
    return (size_t)(number * 0x9e3779b97f4a7c15u >> 20) & (capacity - 1);
}

/* The place of a page in the table: where it is, or where it belongs. The table is never full. */
static struct page **page_place(struct page **table, size_t capacity, uint64_t number)
{
    size_t i = page_home(number, capacity);
    while (table[i] && table[i]->number != number)
        i = (i + 1) & (capacity - 1);
    return &table[i];
}

static void *page_cell(const struct pages *p, struct page *page, uint64_t index)
{
    return (char *)page->cells + index % PAGE_CELLS * p->cell_size;
}

void *pages_find(struct pages *p, uint64_t index)
{
    uint64_t number = index / PAGE_CELLS;
    if (!p->capacity)
        return NULL;
    if (!p->recent || p->recent->number != number) {
        struct page *found = *page_place(p->table, p->capacity, number);
        if (!found)
            return NULL;
        p->recent = found;
    }
    return page_cell(p, p->recent, index);
}

static int pages_grow(struct pages *p)
{
    size_t capacity = p->capacity ? p->capacity * 2 : 16;
    struct page **table = calloc(capacity, sizeof *table);
    if (!table)
        return -1;
    for (size_t i = 0; i < p->capacity; i++) {
        if (p->table[i])
            *page_place(table, capacity, p->table[i]->number) = p->table[i];
    }
    free(p->table);
    p->table = table;
    p->capacity = capacity;
    return 0;
}

void *pages_make(struct pages *p, uint64_t index)
{
    void *cell = pages_find(p, index);
    if (cell)
        return cell;
    if (p->used * 4 >= p->capacity * 3 && pages_grow(p))
        return NULL;
    struct page *page = calloc(1, sizeof *page + PAGE_CELLS * p->cell_size);
    if (!page)
        return NULL;
    page->number = index / PAGE_CELLS;
    *page_place(p->table, p->capacity, page->number) = page;
    p->used++;
    p->recent = page;
    return page_cell(p, page, index);
}

/* Zero the cells of a page that lie outside first..last. Returns whether any remain. */
static bool page_clip(const struct pages *p, struct page *page, uint64_t first, uint64_t last)
{
    uint64_t begin = page->number * PAGE_CELLS, end = begin + (PAGE_CELLS - 1);
    if (end < first || begin > last) {
        memset(page->cells, 0, PAGE_CELLS * p->cell_size);
        return false;
    }
    if (begin < first)
        memset(page->cells, 0, (size_t)(first - begin) * p->cell_size);
    if (end > last)
        memset(page_cell(p, page, last + 1), 0, (size_t)(end - last) * p->cell_size);
    return true;
}

void pages_keep(struct pages *p, uint64_t first, uint64_t last)
{
    /* Taking pages out breaks the probing, so those that stay go to a new table; without memory for one, empty pages
     * stay where they are. */
    struct page **table = p->capacity ? calloc(p->capacity, sizeof *table) : NULL;
    p->recent = NULL;
    for (size_t i = 0; i < p->capacity; i++) {
        struct page *page = p->table[i];
        bool stays = page && page_clip(p, page, first, last);
        if (!table || !page)
            continue;
        if (stays)
            *page_place(table, p->capacity, page->number) = page;
        p->used -= !stays;
        if (!stays)
            free(page);
    }
    if (table) {
        free(p->table);
        p->table = table;
    }
}

static int page_order(const void *a, const void *b)
{
    const struct page *pa = *(struct page *const *)a, *pb = *(struct page *const *)b;
    return (pa->number > pb->number) - (pa->number < pb->number);
}

bool pages_drop(struct pages *p, bool (*gone)(void *context, uint64_t first, void *cells), void *context)
{
    struct page **page = malloc((p->used ? p->used : 1) * sizeof *page);
    size_t count = 0;
    if (!page)
        return false;
    for (size_t i = 0; i < p->capacity; i++) {
        if (p->table[i])
            page[count++] = p->table[i];
        p->table[i] = NULL; /* they go back one by one: taking single ones out breaks the probing */
    }
    qsort(page, count, sizeof *page, page_order);
    p->recent = NULL;
    p->used = 0;
    for (size_t i = 0; i < count; i++) {
        if (gone(context, page[i]->number * PAGE_CELLS, page[i]->cells)) {
            free(page[i]);
            continue;
        }
        *page_place(p->table, p->capacity, page[i]->number) = page[i];
        p->used++;
    }
    free(page);
    return true;
}

void pages_each(struct pages *p, void (*fn)(void *context, uint64_t index, void *cell), void *context)
{
    for (size_t i = 0; i < p->capacity; i++) {
        for (unsigned c = 0; p->table[i] && c < PAGE_CELLS; c++)
            fn(context, p->table[i]->number * PAGE_CELLS + c, page_cell(p, p->table[i], c));
    }
}
