/* What a loss of power leaves of the files: ext4 with data=ordered, as it is mounted by default (ext4(5)).
 *
 * - What fsync, fdatasync, O_SYNC and O_DSYNC made durable stays. Of pages overwritten since, each is the new one, the old one, or torn at
 *   a sector. Of what was appended, a beginning is there, never bytes that nobody wrote.
 * - Names are changed by a journal, in order: a beginning of what was not committed survives. Every fsync of the node commits it, and
 *   so do five seconds. What a new file contains is written before the rename that puts it in the place of another one.
 *
 * What is lost follows from the seed. Only what processes of a named node do is kept so. */
#include "simulate/tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE 4096u
#define SECTOR 512u
#define COMMIT_EVERY (5 * SECOND)

struct change {
    uint64_t time;
    struct inode *directory, *before, *now;
    char *name;
    bool joined; /* with the next one */
};

struct journal {
    struct change *change;
    size_t count, capacity;
};

/* ---- content ---- */

static size_t page_place(const struct inode *i, uint64_t number)
{
    size_t low = 0, high = i->pages;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (i->page[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void page_keep(struct inode *i, uint64_t number)
{
    size_t at = page_place(i, number), size = (size_t)(i->size - number * PAGE < PAGE ? i->size - number * PAGE : PAGE);
    if (at < i->pages && i->page[at].number == number)
        return;
    if (!(i->pages & (i->pages - 1))) { /* full at each power of two */
        i->page = realloc(i->page, (i->pages ? 2 * i->pages : 1) * sizeof *i->page);
        if (!i->page)
            abort();
    }
    memmove(i->page + at + 1, i->page + at, (i->pages++ - at) * sizeof *i->page);
    i->page[at].number = number;
    memset(i->page[at].data, 0, PAGE);
    memcpy(i->page[at].data, i->data + number * PAGE, size);
}

void durable_write(struct machine *m, struct inode *i, uint64_t at, uint64_t size)
{
    uint32_t node = m->asking ? m->asking->process->node : 0;
    if (!node || i->shared || !S_ISREG(i->mode))
        return;
    if (!i->dirty) {
        i->dirty = true;
        i->durable_size = i->size;
    }
    i->node = node;
    for (uint64_t page = at / PAGE; page * PAGE < at + size && page * PAGE < i->durable_size && page * PAGE < i->size; page++)
        page_keep(i, page);
}

void durable_done(struct inode *i)
{
    free(i->page);
    i->page = NULL;
    i->pages = 0;
    i->dirty = false;
}

/* What is lost of a file. */
static void content_crash(struct machine *m, struct inode *i, struct chance *c)
{
    uint64_t size = i->size, durable = i->durable_size;
    bool cut = size < durable && chance_below(c, 2);
    i->dirty = false; /* what follows is not a change of the node's */
    if (size < durable && !cut) {
        m->asking = NULL;
        content_cut(m, i, size = durable);
    }
    for (size_t k = 0; k < i->pages; k++) {
        uint64_t at = i->page[k].number * PAGE;
        size_t from = (size_t)chance_below(c, 3) * SECTOR * 4; /* 0: the old one, 4096: the new one */
        if (from == 2048)
            from = (size_t)(1 + chance_below(c, PAGE / SECTOR - 1)) * SECTOR;
        if (i->durable_size > size) /* the end was cut off and came back: as it was */
            from = 0;
        if (at < size && from < PAGE && from < size - at)
            memcpy(i->data + at + from, i->page[k].data + from, (size_t)(size - at < PAGE ? size - at : PAGE) - from);
    }
    if (size > durable) {
        uint64_t more = chance_below(c, (size - durable + PAGE - 1) / PAGE + 1) * PAGE;
        if (durable + more < size)
            content_cut(m, i, more ? (durable + more) / PAGE * PAGE : durable);
    }
    durable_done(i);
}

static void below_crash(struct machine *m, struct inode *d, uint32_t node, struct chance *c)
{
    for (size_t k = 0; k < d->entries; k++) {
        struct inode *i = d->entry[k].inode;
        if (i && S_ISDIR(i->mode))
            below_crash(m, i, node, c);
        else if (i && i->dirty && i->node == node)
            content_crash(m, i, c);
    }
}

/* ---- names ---- */

static void change_fini(struct machine *m, struct change *c)
{
    if (c->before)
        tree_let_go(m, c->before);
    if (c->now)
        tree_let_go(m, c->now);
    free(c->name);
}

/* The oldest `count` are durable. */
static void journal_commit(struct machine *m, struct journal *j, size_t count)
{
    for (size_t i = 0; i < count; i++)
        change_fini(m, &j->change[i]);
    j->count -= count;
    memmove(j->change, j->change + count, j->count * sizeof *j->change);
}

void durable_name(struct machine *m, const struct process *p, struct inode *d, const char *name, struct inode *now, bool joined)
{
    struct journal *j = p->node ? m->node[p->node].journal : NULL;
    struct inode *before = NULL;
    for (size_t k = 0; k < d->entries && !before; k++)
        if (!strcmp(d->entry[k].name, name))
            before = d->entry[k].inode;
    if (p->node && !j && !(j = m->node[p->node].journal = calloc(1, sizeof *j)))
        abort();
    if (j) {
        if (j->count == j->capacity) {
            j->capacity = j->capacity ? 2 * j->capacity : 64;
            j->change = realloc(j->change, j->capacity * sizeof *j->change);
        }
        char *copy = strdup(name);
        if (!j->change || !copy)
            abort();
        if (before)
            tree_hold(before);
        if (now)
            tree_hold(now);
        j->change[j->count++] = (struct change){machine_now(m), d, before, now, copy, joined};
        size_t old = 0;
        while (old < j->count && j->change[old].time + COMMIT_EVERY < machine_now(m))
            old++;
        journal_commit(m, j, old);
    }
    entry_set(d, name, now);
}

static void change_undo(struct change *c)
{
    if (c->now && !S_ISDIR(c->now->mode) && c->now->links)
        c->now->links--;
    if (c->before)
        c->before->links += S_ISDIR(c->before->mode) ? 2 - c->before->links : 1;
    entry_set(c->directory, c->name, c->before);
}

static void journal_crash(struct machine *m, struct journal *j, struct chance *c)
{
    size_t first = 0;
    while (first < j->count && j->change[first].time + COMMIT_EVERY < machine_now(m))
        first++;
    size_t kept = first + (size_t)chance_below(c, j->count - first + 1);
    while (kept && kept < j->count && j->change[kept - 1].joined)
        kept++;
    for (size_t i = j->count; i-- > kept;)
        change_undo(&j->change[i]);
    journal_commit(m, j, j->count);
}

/* ---- from outside ---- */

void tree_crash(struct machine *m, uint32_t node)
{
    struct chance c;
    struct task *asking = m->asking;
    chance_named(m, &c, CHANCE_CRASH, m->node[node].name, "");
    m->asking = NULL;
    if (m->node[node].journal)
        journal_crash(m, m->node[node].journal, &c);
    below_crash(m, m->tree, node, &c);
    m->asking = asking;
}

void tree_sync(struct machine *m, struct inode *i, uint32_t node)
{
    durable_done(i);
    if (node && m->node[node].journal)
        journal_commit(m, m->node[node].journal, m->node[node].journal->count);
}

static void below_sync(struct inode *d, uint32_t node)
{
    for (size_t k = 0; k < d->entries; k++) {
        struct inode *i = d->entry[k].inode;
        if (i && S_ISDIR(i->mode))
            below_sync(i, node);
        else if (i && i->dirty && i->node == node)
            durable_done(i);
    }
}

void tree_sync_all(struct machine *m, uint32_t node)
{
    below_sync(m->tree, node);
    if (m->node[node].journal)
        journal_commit(m, m->node[node].journal, m->node[node].journal->count);
}

void durable_fini(struct machine *m)
{
    for (uint32_t n = 0; n < MACHINE_NODES; n++) {
        struct journal *j = m->node[n].journal;
        for (size_t i = 0; j && i < j->count; i++)
            free(j->change[i].name);
        free(j ? j->change : NULL);
        free(j);
        m->node[n].journal = NULL;
    }
}
