/* Calls that make, change and remove names: open(2), mkdir(2), unlink(2), rename(2), link(2), symlink(2). */
#include "simulate/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

long inode_open(struct machine *m, struct task *t, struct inode *i, int64_t flags)
{
    bool directory = S_ISDIR(i->mode);
    if (flags & O_DIRECTORY && !directory)
        return -ENOTDIR;
    if (directory && (flags & O_ACCMODE) != O_RDONLY)
        return -EISDIR;
    if (S_ISSOCK(i->mode))
        return -ENXIO;
    if (flags & O_TRUNC && !directory && !i->device && !i->virtual)
        content_cut(m, i, 0);
    struct file *f = file_create(directory ? &file_directory : &file_regular, (uint32_t)flags, NULL);
    f->inode = i;
    i->opened++;
    return file_install(m, t->process, f, flags & O_CLOEXEC, 0);
}

static struct inode *file_make(struct machine *m, const struct process *p, struct walk *w, uint32_t mode)
{
    struct inode *i = inode_create(m, mode & ~(S_ISLNK(mode) ? 0 : p->umask));
    i->owner = i->group = 0;
    durable_name(m, p, w->directory, w->name, i, false);
    w->directory->modified = w->directory->change = tree_time(m);
    return i;
}

static long open_path(struct machine *m, struct task *t, int64_t at, const char *path, int64_t flags, int64_t mode)
{
    struct walk w;
    if (!path)
        return -EFAULT;
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        struct inode *i = inode_create(m, S_IFREG | ((uint32_t)mode & 07777 & ~t->process->umask));
        i->links = 0;
        return inode_open(m, t, i, flags & ~O_TMPFILE);
    }
    struct inode *of_process = strncmp(path, "/proc/", 6) ? NULL : process_file(m, t->process, path);
    if (of_process)
        return inode_open(m, t, of_process, O_RDONLY | (flags & O_CLOEXEC));
    bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    long error = walk_from(m, t->process, at, path, !(flags & O_NOFOLLOW) && !exclusive, &w);
    if (error)
        return error;
    if (w.found && exclusive)
        return -EEXIST;
    if (w.found && S_ISLNK(w.found->mode) && !(flags & O_PATH))
        return -ELOOP;
    if (!w.found && !(flags & O_CREAT))
        return -ENOENT;
    if (!w.found)
        w.found = file_make(m, t->process, &w, S_IFREG | ((uint32_t)mode & 07777));
    return inode_open(m, t, w.found, flags);
}

static long name_remove(struct machine *m, struct task *t, int64_t at, const char *path, bool directory)
{
    struct walk w;
    long error = path ? walk_from(m, t->process, at, path, false, &w) : -EFAULT;
    if (error)
        return error;
    if (!w.found)
        return -ENOENT;
    if (!w.name[0])
        return directory ? -EBUSY : -EISDIR;
    if (directory && w.directory == m->tree) /* proc, dev: something is mounted there */
        return -EBUSY;
    if (directory != !!S_ISDIR(w.found->mode))
        return directory ? -ENOTDIR : -EISDIR;
    if (directory && !directory_empty(m, w.found))
        return -ENOTEMPTY;
    struct inode *gone = w.found;
    durable_name(m, t->process, w.directory, w.name, NULL, false);
    w.directory->modified = w.directory->change = tree_time(m);
    if (directory)
        gone->links = 0;
    else
        inode_unlink(gone);
    return 0;
}

void tree_forget(struct machine *m, const struct process *p, int64_t at, const char *path, size_t length)
{
    struct walk w;
    char text[PATH_MAX];
    if (!path || length >= sizeof text)
        return;
    memcpy(text, path, length);
    text[length] = 0;
    if (!walk_from(m, p, at, text, false, &w) && w.found && w.name[0])
        entry_set(w.directory, w.name, NULL);
    if (w.found && w.name[0] && !S_ISDIR(w.found->mode))
        inode_unlink(w.found);
}

static long name_make(struct machine *m, struct task *t, int64_t at, const char *path, uint32_t mode, const char *target)
{
    struct walk w;
    long error = path ? walk_from(m, t->process, at, path, false, &w) : -EFAULT;
    if (error)
        return error;
    if (w.found || !w.name[0])
        return -EEXIST;
    struct inode *i = file_make(m, t->process, &w, mode);
    if (target)
        i->target = strdup(target);
    return 0;
}

static long name_move(struct machine *m, struct task *t, int64_t at, int64_t from, int64_t to_at, int64_t to, int64_t flags)
{
    struct walk a, b;
    const char *source = user_text(m, t, from, 0), *target = user_text(m, t, to, 1);
    if (!source || !target)
        return -EFAULT;
    long error = walk_from(m, t->process, at, source, false, &a);
    if (!error && !a.found)
        error = -ENOENT;
    if (!error)
        error = walk_from(m, t->process, to_at, target, false, &b);
    if (error)
        return error;
    if (!a.name[0] || !b.name[0])
        return -EBUSY;
    if (flags & 2) /* RENAME_EXCHANGE */
        return -EINVAL;
    if (b.found && flags & 1) /* RENAME_NOREPLACE */
        return -EEXIST;
    if (b.found == a.found)
        return 0;
    if (b.found && S_ISDIR(b.found->mode) && (!S_ISDIR(a.found->mode) || !directory_empty(m, b.found)))
        return S_ISDIR(a.found->mode) ? -ENOTEMPTY : -EISDIR;
    if (S_ISDIR(a.found->mode))
        directory_list(m, a.found); /* its names stay, whatever the host has at its new place */
    struct inode *replaced = b.found;
    if (replaced && S_ISREG(a.found->mode))
        durable_done(a.found); /* ext4 writes what replaces a file before it gets the name: auto_da_alloc, ext4(5) */
    durable_name(m, t->process, a.directory, a.name, NULL, true);
    durable_name(m, t->process, b.directory, b.name, a.found, false);
    a.directory->modified = b.directory->modified = a.found->change = tree_time(m);
    if (replaced && !S_ISDIR(replaced->mode))
        inode_unlink(replaced);
    return 0;
}

static long name_link(struct machine *m, struct task *t, int64_t at, int64_t from, int64_t to_at, int64_t to, int64_t flags)
{
    struct walk w;
    struct inode *i;
    const char *source = user_text(m, t, from, 0), *target = user_text(m, t, to, 1);
    if (!source || !target)
        return -EFAULT;
    long error = 0;
    if (!*source && flags & AT_EMPTY_PATH)
        error = file_of(t, at) && (i = file_of(t, at)->inode) ? 0 : -EBADF;
    else
        error = tree_find(m, t->process, at, source, flags & AT_SYMLINK_FOLLOW, &i);
    if (!error)
        error = walk_from(m, t->process, to_at, target, false, &w);
    if (error)
        return error;
    if (S_ISDIR(i->mode))
        return -EPERM;
    if (w.found || !w.name[0])
        return -EEXIST;
    i->links++;
    durable_name(m, t->process, w.directory, w.name, i, false);
    return 0;
}

static long link_read(struct machine *m, struct task *t, int64_t at, const char *path, int64_t to, int64_t size)
{
    struct inode *i;
    const char *target = NULL;
    if (!path)
        return -EFAULT;
    if (!strncmp(path, "/proc/self/", 11) || !strncmp(path, "/dev/fd/", 8)) {
        const char *own = own_path(m, t->process, path);
        target = strcmp(own, path) ? own : NULL;
    }
    if (!target) {
        long error = tree_find(m, t->process, at, path, false, &i);
        if (error)
            return error;
        if (!S_ISLNK(i->mode))
            return -EINVAL;
        target = i->target ? i->target : "";
    }
    int64_t n = (int64_t)strlen(target) < size ? (int64_t)strlen(target) : size;
    return user_put(m, t, to, target, (size_t)n) ? n : -EFAULT;
}

long tree_bind(struct machine *m, const struct process *p, const char *path, void *socket)
{
    struct walk w;
    long error = walk_from(m, p, AT_FDCWD, path, false, &w);
    if (error)
        return error;
    if (w.found || !w.name[0])
        return -EADDRINUSE;
    file_make(m, p, &w, S_IFSOCK | 0777)->socket = socket;
    return 0;
}

void *tree_bound(struct machine *m, const struct process *p, const char *path, long *error)
{
    struct inode *i;
    *error = tree_find(m, p, AT_FDCWD, path, true, &i);
    if (*error)
        return NULL;
    if (!i->socket)
        *error = -ECONNREFUSED;
    return i->socket;
}

static void unbind_below(struct inode *d, const void *socket)
{
    for (size_t k = 0; k < d->entries; k++) {
        struct inode *i = d->entry[k].inode;
        if (i && i->socket == socket)
            i->socket = NULL;
        if (i && S_ISDIR(i->mode))
            unbind_below(i, socket);
    }
}

void tree_socket_gone(struct machine *m, const void *socket)
{
    unbind_below(m->tree, socket);
}

#define TEXT(n, slot) user_text(m, t, a[n], slot)

long names_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    switch (t->nr) {
    case SYS_open: return open_path(m, t, AT_FDCWD, TEXT(0, 0), a[1], a[2]);
    case SYS_openat: return open_path(m, t, a[0], TEXT(1, 0), a[2], a[3]);
    case SYS_creat: return open_path(m, t, AT_FDCWD, TEXT(0, 0), O_CREAT | O_WRONLY | O_TRUNC, a[1]);
    case SYS_mkdir: return name_make(m, t, AT_FDCWD, TEXT(0, 0), S_IFDIR | ((uint32_t)a[1] & 07777), NULL);
    case SYS_mkdirat: return name_make(m, t, a[0], TEXT(1, 0), S_IFDIR | ((uint32_t)a[2] & 07777), NULL);
    case SYS_symlink: return name_make(m, t, AT_FDCWD, TEXT(1, 0), S_IFLNK | 0777, TEXT(0, 1));
    case SYS_symlinkat: return name_make(m, t, a[1], TEXT(2, 0), S_IFLNK | 0777, TEXT(0, 1));
    case SYS_unlink: return name_remove(m, t, AT_FDCWD, TEXT(0, 0), false);
    case SYS_rmdir: return name_remove(m, t, AT_FDCWD, TEXT(0, 0), true);
    case SYS_unlinkat: return name_remove(m, t, a[0], TEXT(1, 0), a[2] & AT_REMOVEDIR);
    case SYS_rename: return name_move(m, t, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
    case SYS_renameat: return name_move(m, t, a[0], a[1], a[2], a[3], 0);
    case SYS_renameat2: return name_move(m, t, a[0], a[1], a[2], a[3], a[4]);
    case SYS_link: return name_link(m, t, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
    case SYS_linkat: return name_link(m, t, a[0], a[1], a[2], a[3], a[4]);
    case SYS_readlink: return link_read(m, t, AT_FDCWD, TEXT(0, 0), a[1], a[2]);
    case SYS_readlinkat: return link_read(m, t, a[0], TEXT(1, 0), a[2], a[3]);
    }
    *mine = false;
    return -ENOSYS;
}
