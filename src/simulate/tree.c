/* Calls on files and directories. Sources: open(2), lseek(2), chmod(2), utimensat(2), chdir(2). */
#include "simulate/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

static long tree_seek(struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f)
        return -EBADF;
    if (!f->inode)
        return -ESPIPE;
    int64_t base = t->arg[2] == SEEK_CUR ? (int64_t)f->place : t->arg[2] == SEEK_END ? (int64_t)f->inode->size : 0;
    if (t->arg[2] == SEEK_DATA)
        return t->arg[1] < (int64_t)f->inode->size ? t->arg[1] : -ENXIO;
    if (t->arg[2] == SEEK_HOLE)
        return t->arg[1] < (int64_t)f->inode->size ? (long)f->inode->size : -ENXIO;
    if (t->arg[2] > SEEK_END || base + t->arg[1] < 0)
        return -EINVAL;
    return (long)(f->place = (uint64_t)(base + t->arg[1]));
}

static struct inode *inode_of(struct machine *m, struct task *t, int64_t path, long *error)
{
    struct inode *i = NULL;
    const char *text = user_text(m, t, path, 0);
    *error = text ? tree_find(m, t->process, AT_FDCWD, text, true, &i) : -EFAULT;
    return *error ? NULL : i;
}

static struct inode *inode_at(struct machine *m, struct task *t, int64_t at, int64_t path, int64_t flags, long *error)
{
    struct inode *i = NULL;
    const char *text = path ? user_text(m, t, path, 0) : "";
    struct file *f = file_of(t, at);
    if (text && !*text) {
        *error = f && f->inode ? 0 : -EBADF;
        return *error ? NULL : f->inode;
    }
    *error = text ? tree_find(m, t->process, at, text, !(flags & AT_SYMLINK_NOFOLLOW), &i) : -EFAULT;
    return *error ? NULL : i;
}

static struct inode *inode_of_file(struct task *t, long *error)
{
    struct file *f = file_of(t, t->arg[0]);
    *error = !f ? -EBADF : !f->inode ? -EINVAL : 0;
    return *error ? NULL : f->inode;
}

static long access_of(struct machine *m, struct task *t, int64_t at, int64_t path, int64_t mode)
{
    struct inode *i;
    const char *text = user_text(m, t, path, 0);
    long error = text ? tree_find(m, t->process, at, text, true, &i) : -EFAULT;
    if (error)
        return error;
    return mode & X_OK && !S_ISDIR(i->mode) && !(i->mode & 0111) ? -EACCES : 0;
}

static long times_set(struct machine *m, struct task *t)
{
    long error;
    struct timespec ts[2] = {tree_time(m), tree_time(m)};
    struct inode *i = inode_at(m, t, t->arg[0], t->arg[1], t->arg[3], &error);
    if (!i)
        return error;
    struct timespec given[2];
    if (t->arg[2] && !user_get(m, t, given, t->arg[2], sizeof given))
        return -EFAULT;
    for (int k = 0; k < 2 && t->arg[2]; k++)
        ts[k] = given[k].tv_nsec == UTIME_NOW ? ts[k] : given[k].tv_nsec == UTIME_OMIT ? (k ? i->modified : i->access) : given[k];
    i->access = ts[0];
    i->modified = ts[1];
    i->change = tree_time(m);
    return 0;
}

static long directory_change(struct machine *m, struct task *t, struct inode *i, long error)
{
    (void)m;
    if (!i)
        return error;
    if (!S_ISDIR(i->mode))
        return -ENOTDIR;
    t->process->directory = i;
    return 0;
}

static long directory_where(struct machine *m, struct task *t)
{
    const char *path = tree_path(m, t->process->directory);
    size_t n = strlen(path) + 1;
    if ((uint64_t)t->arg[1] < n)
        return -ERANGE;
    return user_put(m, t, t->arg[0], path, n) ? (long)n : -EFAULT;
}

static long mode_set(struct machine *m, struct inode *i, int64_t mode, long error)
{
    if (!i)
        return error;
    i->mode = (i->mode & S_IFMT) | ((uint32_t)mode & 07777);
    i->change = tree_time(m);
    return 0;
}

long tree_answer(struct machine *m, struct task *t, bool *mine)
{
    const int64_t *a = t->arg;
    struct stat st;
    struct inode *i;
    struct file *f;
    long error = names_answer(m, t, mine);
    if (*mine)
        return error;
    *mine = true;
    switch (t->nr) {
    case SYS_stat: return stat_put(m, t, a[1], stat_of(m, t, AT_FDCWD, a[0], 0, &st), &st);
    case SYS_lstat: return stat_put(m, t, a[1], stat_of(m, t, AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, &st), &st);
    case SYS_newfstatat: return stat_put(m, t, a[2], stat_of(m, t, a[0], a[1], a[3], &st), &st);
    case SYS_fstat: return (f = file_of(t, a[0])) ? (stat_file(f, &st), stat_put(m, t, a[1], 0, &st)) : -EBADF;
    case SYS_statx: return statx_of(m, t);
    case SYS_getdents64: return tree_list(m, t);
    case SYS_lseek: return tree_seek(t);
    case SYS_access: return access_of(m, t, AT_FDCWD, a[0], a[1]);
    case SYS_faccessat: case SYS_faccessat2: return access_of(m, t, a[0], a[1], a[2]);
    case SYS_chmod: i = inode_of(m, t, a[0], &error); return mode_set(m, i, a[1], error);
    case SYS_fchmod: i = inode_of_file(t, &error); return error == -EINVAL ? 0 : mode_set(m, i, a[1], error);
    case SYS_fchmodat: i = inode_at(m, t, a[0], a[1], 0, &error); return mode_set(m, i, a[2], error);
    case SYS_chown: case SYS_lchown: case SYS_fchown: case SYS_fchownat: return 0;
    case SYS_truncate: i = inode_of(m, t, a[0], &error); return size_set(m, i, a[1], error);
    case SYS_ftruncate: i = inode_of_file(t, &error); return size_set(m, i, a[1], error);
    case SYS_fallocate: f = file_of(t, a[0]); return !f || !f->inode ? -EBADF : tree_fallocate(m, f, a[1], a[2], a[3]);
    case SYS_utimensat: return times_set(m, t);
    case SYS_chdir: i = inode_of(m, t, a[0], &error); return directory_change(m, t, i, error);
    case SYS_fchdir: i = inode_of_file(t, &error); return directory_change(m, t, i, error);
    case SYS_getcwd: return directory_where(m, t);
    case SYS_statfs: case SYS_fstatfs: return file_system(m, t, a[1]);
    case SYS_memfd_create: return memory_file(m, t);
    case SYS_getxattr: case SYS_lgetxattr: case SYS_fgetxattr: case SYS_setxattr: case SYS_lsetxattr: case SYS_fsetxattr:
    case SYS_listxattr: case SYS_llistxattr: case SYS_flistxattr: return -EOPNOTSUPP;
    case SYS_fadvise64: case SYS_readahead: return 0;
    case MAIL_MAP: return tree_map(m, t);
    }
    *mine = false;
    return -ENOSYS;
}
