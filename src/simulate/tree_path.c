/* From paths to inodes and back: path_resolution(7), symlink(7). */
#include "simulate/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define LINKS_MOST 40

static long walk_step(struct machine *m, const struct process *p, struct walk *w, bool last, bool follow);

static long walk_path(struct machine *m, const struct process *p, struct inode *from, const char *path, bool follow, struct walk *w)
{
    w->found = *path == '/' ? m->tree : from;
    w->directory = w->found;
    w->name[0] = 0;
    if (!*path)
        return -ENOENT;
    while (*path) {
        path += strspn(path, "/");
        size_t n = strcspn(path, "/");
        if (!n)
            break;
        if (n > 255)
            return -ENAMETOOLONG;
        memcpy(w->name, path, n);
        w->name[n] = 0;
        path += n;
        bool last = !path[strspn(path, "/")];
        w->must_be_directory = last && *path == '/';
        long error = walk_step(m, p, w, last, follow);
        if (error)
            return error;
    }
    return w->must_be_directory && w->found && !S_ISDIR(w->found->mode) ? -ENOTDIR : 0;
}

static long walk_link(struct machine *m, const struct process *p, struct inode *d, struct inode *link, bool follow, struct walk *w)
{
    if (++w->links > LINKS_MOST)
        return -ELOOP;
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s", link->target ? link->target : "");
    return walk_path(m, p, d, target, follow, w);
}

static long walk_step(struct machine *m, const struct process *p, struct walk *w, bool last, bool follow)
{
    struct inode *d = w->found;
    if (!d)
        return -ENOENT;
    if (!S_ISDIR(d->mode))
        return -ENOTDIR;
    w->directory = d;
    if (!strcmp(w->name, "."))
        return w->name[0] = 0, 0;
    if (!strcmp(w->name, ".."))
        return w->found = d->parent ? d->parent : d, w->name[0] = 0, 0;
    w->found = entry_get(m, d, w->name);
    if (w->found && S_ISLNK(w->found->mode) && (!last || follow || w->must_be_directory)) {
        bool directory = w->must_be_directory;
        char name[256];
        snprintf(name, sizeof name, "%s", w->name);
        long error = walk_link(m, p, d, w->found, true, w);
        w->must_be_directory = directory;
        return error;
    }
    return 0;
}

/* /proc/self/exe, /proc/self/fd/N and the like: of the process that asks. */
const char *own_path(struct machine *m, const struct process *p, const char *path)
{
    static char text[PATH_MAX];
    int fd, n = 0;
    unsigned pid = p->pid;
    if (!strncmp(path, "/proc/", 6) && sscanf(path, "/proc/%u/%n", &pid, &n) == 1 && n && pid == p->pid)
        snprintf(text, sizeof text, "/proc/self/%s", path + n);
    else
        snprintf(text, sizeof text, "%s", path);
    if (!strcmp(text, "/proc/self/exe"))
        return p->program;
    if ((sscanf(text, "/proc/self/fd/%d", &fd) == 1 || sscanf(text, "/dev/fd/%d", &fd) == 1) && fd >= 0 && fd < DESCRIPTORS &&
        p->descriptors->at[fd].file && p->descriptors->at[fd].file->inode)
        return tree_path(m, p->descriptors->at[fd].file->inode);
    return text;
}

/* What an open descriptor stands for, though it may have no name: /proc/self/fd/N, proc(5). */
static struct inode *own_file(const struct process *p, const char *path)
{
    int fd, n = 0;
    unsigned pid = p->pid;
    bool named = (sscanf(path, "/proc/self/fd/%d%n", &fd, &n) == 1 && n) || (sscanf(path, "/dev/fd/%d%n", &fd, &n) == 1 && n) ||
                 (sscanf(path, "/proc/%u/fd/%d%n", &pid, &fd, &n) == 2 && n && pid == p->pid);
    if (!named || path[n] || fd < 0 || fd >= DESCRIPTORS || !p->descriptors->at[fd].file)
        return NULL;
    return p->descriptors->at[fd].file->inode;
}

long walk_from(struct machine *m, const struct process *p, int64_t at, const char *path, bool follow, struct walk *w)
{
    *w = (struct walk){0};
    struct inode *from = p->directory ? p->directory : m->tree;
    if (*path != '/' && (int32_t)at != AT_FDCWD) {
        struct file *f = (int32_t)at >= 0 && (int32_t)at < DESCRIPTORS ? p->descriptors->at[(int32_t)at].file : NULL;
        if (!f)
            return -EBADF;
        if (!f->inode || !S_ISDIR(f->inode->mode))
            return -ENOTDIR;
        from = f->inode;
    }
    if (p->descriptors && follow && (w->found = own_file(p, path)))
        return w->directory = w->found, 0;
    if (p->descriptors && follow && (!strncmp(path, "/proc/", 6) || !strncmp(path, "/dev/fd/", 8)))
        path = own_path(m, p, path);
    return walk_path(m, p, from, path, follow, w);
}

long tree_find(struct machine *m, const struct process *p, int64_t at, const char *path, bool follow, struct inode **found)
{
    struct walk w;
    long error = walk_from(m, p, at, path, follow, &w);
    *found = w.found;
    return error ? error : w.found ? 0 : -ENOENT;
}

static bool path_build(struct machine *m, struct inode *d, struct inode *want, char *text, size_t size, int depth)
{
    if (d == want)
        return true;
    for (size_t i = 0; i < d->entries && depth < 60; i++) {
        struct inode *child = d->entry[i].inode;
        if (!child || (child != want && !(S_ISDIR(child->mode) && child->entries)))
            continue;
        size_t used = strlen(text);
        snprintf(text + used, size - used, "/%s", d->entry[i].name);
        if (path_build(m, child, want, text, size, depth + 1))
            return true;
        text[used] = 0;
    }
    return false;
}

const char *tree_path(struct machine *m, struct inode *i)
{
    static char text[PATH_MAX];
    text[0] = 0;
    if (!path_build(m, m->tree, i, text, sizeof text, 0))
        snprintf(text, sizeof text, "/(deleted)");
    return *text ? text : "/";
}

const char *tree_host(struct inode *i)
{
    return i->host && !i->loaded && S_ISREG(i->mode) ? i->host : NULL;
}

uint64_t tree_size(const struct inode *i)
{
    return i->size;
}

bool tree_executable(const struct inode *i)
{
    return S_ISREG(i->mode) && i->mode & 0111;
}
