/* What is told of files: stat(2), statx(2), getdents(2), statfs(2). */
#include "simulate/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>

#define DEVICE 0x801

static void stat_fill(const struct inode *i, struct stat *st)
{
    *st = (struct stat){0};
    st->st_dev = DEVICE;
    st->st_ino = i->number;
    st->st_mode = i->mode;
    st->st_nlink = S_ISDIR(i->mode) ? 2 : i->links;
    st->st_uid = i->owner;
    st->st_gid = i->group;
    st->st_rdev = i->device ? 0x100 + i->device : 0;
    st->st_size = S_ISDIR(i->mode) ? 4096 : S_ISLNK(i->mode) ? (off_t)strlen(i->target ? i->target : "") : (off_t)i->size;
    st->st_blksize = 4096;
    st->st_blocks = (st->st_size + 511) / 512;
    st->st_atim = i->access, st->st_mtim = i->modified, st->st_ctim = i->change;
}

void stat_file(const struct file *f, struct stat *st)
{
    if (f->inode) {
        stat_fill(f->inode, st);
        return;
    }
    *st = (struct stat){0};
    st->st_mode = (!strcmp(f->kind->name, "socket") ? S_IFSOCK : !strcmp(f->kind->name, "pipe") ? S_IFIFO
                   : !strcmp(f->kind->name, "console") ? S_IFIFO : 0) | 0600;
    st->st_blksize = 4096;
    st->st_dev = 12;
    st->st_ino = 1;
}

long stat_of(struct machine *m, struct task *t, int64_t at, int64_t path, int64_t flags, struct stat *st)
{
    const char *text = user_text(m, t, path, 0);
    struct inode *i;
    if (!text)
        return -EFAULT;
    if (!*text && flags & AT_EMPTY_PATH) {
        struct file *f = file_of(t, at);
        if ((int32_t)at == AT_FDCWD)
            return stat_fill(t->process->directory, st), 0;
        return f ? (stat_file(f, st), 0) : -EBADF;
    }
    long error = tree_find(m, t->process, at, text, !(flags & AT_SYMLINK_NOFOLLOW), &i);
    if (!error)
        stat_fill(i, st);
    return error;
}

long stat_put(struct machine *m, struct task *t, int64_t to, long error, const struct stat *st)
{
    return error ? error : user_put(m, t, to, st, sizeof *st) ? 0 : -EFAULT;
}

static struct statx_timestamp stamp(struct timespec ts)
{
    return (struct statx_timestamp){.tv_sec = ts.tv_sec, .tv_nsec = (uint32_t)ts.tv_nsec};
}

long statx_of(struct machine *m, struct task *t)
{
    struct stat st;
    long error = stat_of(m, t, t->arg[0], t->arg[1], t->arg[2], &st);
    if (error)
        return error;
    struct statx x = {.stx_mask = STATX_BASIC_STATS, .stx_blksize = (uint32_t)st.st_blksize, .stx_nlink = (uint32_t)st.st_nlink,
                      .stx_uid = st.st_uid, .stx_gid = st.st_gid, .stx_mode = (uint16_t)st.st_mode, .stx_ino = st.st_ino,
                      .stx_size = (uint64_t)st.st_size, .stx_blocks = (uint64_t)st.st_blocks, .stx_dev_major = 8, .stx_dev_minor = 1};
    x.stx_atime = stamp(st.st_atim);
    x.stx_mtime = stamp(st.st_mtim);
    x.stx_ctime = stamp(st.st_ctim);
    return user_put(m, t, t->arg[4], &x, sizeof x) ? 0 : -EFAULT;
}

long tree_list(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    if (!f)
        return -EBADF;
    if (f->kind != &file_directory)
        return -ENOTDIR;
    directory_list(m, f->inode);
    size_t size = (uint64_t)t->arg[2] > 65536 ? 65536 : (size_t)t->arg[2], used = 0;
    uint8_t *out = machine_scratch(m, size + 1);
    for (; f->place < f->inode->entries + 2; f->place++) {
        const struct entry *e = f->place < 2 ? NULL : &f->inode->entry[f->place - 2];
        if (e && !e->inode)
            continue;
        const char *name = e ? e->name : f->place ? ".." : ".";
        const struct inode *i = e ? e->inode : f->place && f->inode->parent ? f->inode->parent : f->inode;
        size_t length = (19 + strlen(name) + 1 + 7) & ~7ul;
        if (used + length > size)
            break;
        uint64_t next = f->place + 1;
        uint16_t reclen = (uint16_t)length;
        memset(out + used, 0, length);
        memcpy(out + used, &i->number, 8);
        memcpy(out + used + 8, &next, 8);
        memcpy(out + used + 16, &reclen, 2);
        out[used + 18] = (uint8_t)(i->mode >> 12);
        memcpy(out + used + 19, name, strlen(name));
        used += length;
    }
    if (!used && f->place < f->inode->entries + 2)
        return -EINVAL;
    return user_put(m, t, t->arg[1], out, used) ? (long)used : -EFAULT;
}

long file_system(struct machine *m, struct task *t, int64_t to)
{
    struct statfs s = {.f_type = 0xef53, .f_bsize = 4096, .f_blocks = 1u << 22, .f_bfree = 1u << 21, .f_bavail = 1u << 21,
                       .f_files = 1u << 20, .f_ffree = 1u << 19, .f_namelen = 255, .f_frsize = 4096};
    return user_put(m, t, to, &s, sizeof s) ? 0 : -EFAULT;
}
