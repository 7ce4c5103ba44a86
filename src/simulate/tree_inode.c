/* Inodes and directories: the host's as they are, read only, and over them what the run makes and changes, in memory. Inode numbers count
 * up in the order in which files are made, those of the host follow from their names. Sources: stat(2), path_resolution(7). */
#include "simulate/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct timespec tree_time(const struct machine *m)
{
    uint64_t now = m->box ? m->box->now + m->box->epoch : 0;
    return (struct timespec){(time_t)(now / SECOND), (long)(now % SECOND)};
}

struct inode *inode_create(struct machine *m, uint32_t mode)
{
    struct inode *i = calloc(1, sizeof *i);
    if (!i)
        abort();
    i->number = ++m->next_inode;
    i->mode = mode;
    i->links = S_ISDIR(mode) ? 2 : 1;
    i->access = i->change = i->modified = tree_time(m);
    i->loaded = true;
    return i;
}

void inode_free(struct inode *i)
{
    durable_done(i);
    for (size_t k = 0; k < i->entries; k++) {
        free(i->entry[k].name);
        if (i->entry[k].inode && (S_ISDIR(i->entry[k].inode->mode) || !--i->entry[k].inode->links))
            inode_free(i->entry[k].inode);
    }
    free(i->entry);
    free(i->host);
    if (i->shared) {
        munmap(i->data, i->capacity);
        close(i->shared);
    } else {
        free(i->data);
    }
    free(i->target);
    free(i);
}

void tree_hold(struct inode *i)
{
    i->opened++;
}

void tree_let_go(struct machine *m, struct inode *i)
{
    (void)m;
    if (!--i->opened && !i->links)
        inode_free(i);
}

void inode_unlink(struct inode *i)
{
    if (i->links)
        i->links--;
    if (!i->links && !i->opened)
        inode_free(i);
}

/* Of a file of the host: by its name, so that what else is there does not count. FNV-1a, above all numbers of this world's. */
static uint64_t host_number(const char *path)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (; *path; path++)
        hash = (hash ^ (uint8_t)*path) * 0x100000001b3ull;
    return 1ull << 40 | (hash & ((1ull << 40) - 1));
}

static struct inode *host_inode(struct machine *m, const char *path)
{
    struct stat st;
    char target[PATH_MAX];
    if (lstat(path, &st) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
        return NULL;
    struct inode *i = inode_create(m, st.st_mode);
    i->host = strdup(path);
    i->number = host_number(path);
    m->next_inode--;
    i->loaded = false;
    i->owner = st.st_uid;
    i->group = st.st_gid;
    i->size = (uint64_t)st.st_size;
    i->modified = i->change = i->access = st.st_mtim;
    if (S_ISDIR(st.st_mode)) /* others make files there meanwhile */
        i->modified = i->change = i->access = (struct timespec){(time_t)(m->box->epoch / SECOND), 0};
    ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof target - 1) : 0;
    if (n > 0) {
        target[n] = 0;
        i->target = strdup(target);
    }
    return i;
}

static size_t entry_place(const struct inode *d, const char *name, bool *there)
{
    size_t low = 0, high = d->entries;
    *there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(d->entry[middle].name, name);
        if (!order)
            return *there = true, middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void entry_set(struct inode *d, const char *name, struct inode *i)
{
    bool there;
    size_t at = entry_place(d, name, &there);
    if (!there) {
        d->entry = realloc(d->entry, (d->entries + 1) * sizeof *d->entry);
        if (!d->entry)
            abort();
        memmove(d->entry + at + 1, d->entry + at, (d->entries++ - at) * sizeof *d->entry);
        d->entry[at] = (struct entry){strdup(name), NULL};
    }
    d->entry[at].inode = i;
    if (i && S_ISDIR(i->mode))
        i->parent = d;
}

/* Runs are not part of the world that makes them. */
static bool is_run(const char *name)
{
    const char *dot = strstr(name, ".drd");
    return dot && (!dot[4] || dot[4] == '-' || dot[4] == '.');
}

struct inode *entry_get(struct machine *m, struct inode *d, const char *name)
{
    bool there;
    char path[PATH_MAX + 300];
    size_t at = entry_place(d, name, &there);
    if (there)
        return d->entry[at].inode;
    if (!d->host || d->listed || is_run(name))
        return NULL;
    snprintf(path, sizeof path, "%s/%s", !strcmp(d->host, "/") ? "" : d->host, name);
    struct inode *i = host_inode(m, path);
    entry_set(d, name, i); /* also that there is none */
    return i;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the host, in an order that is the same everywhere. */
void directory_list(struct machine *m, struct inode *d)
{
    char **name = NULL;
    size_t count = 0;
    DIR *host = d->host && !d->listed ? opendir(d->host) : NULL;
    for (struct dirent *one; host && (one = readdir(host));) {
        if (is_run(one->d_name) || !strcmp(one->d_name, ".") || !strcmp(one->d_name, ".."))
            continue;
        name = realloc(name, (count + 1) * sizeof *name);
        name[count++] = strdup(one->d_name);
    }
    if (host)
        closedir(host);
    if (count)
        qsort(name, count, sizeof *name, by_name);
    for (size_t i = 0; i < count; i++) {
        entry_get(m, d, name[i]);
        free(name[i]);
    }
    free(name);
    d->listed = true;
}

void tree_destroy(struct machine *m)
{
    durable_fini(m);
    if (m->tree)
        inode_free(m->tree);
    m->tree = NULL;
}

bool directory_empty(struct machine *m, struct inode *d)
{
    directory_list(m, d);
    for (size_t i = 0; i < d->entries; i++)
        if (d->entry[i].inode)
            return false;
    return true;
}
