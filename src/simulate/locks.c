/* Locks on files: fcntl(2) with F_SETLK and its kin, which belong to a process, F_OFD_SETLK and flock(2), which belong to an open file. */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>

#define END INT64_MAX

struct lock {
    struct lock *next;
    const struct inode *inode;
    const void *owner; /* struct process or struct file */
    uint32_t pid;
    bool whole;        /* flock(2): those and the others do not see each other */
    bool exclusive;
    int64_t first, last;
};

static struct lock *locks; /* one machine lives in a process */

static struct lock *conflict_find(const struct lock *want)
{
    for (struct lock *l = locks; l; l = l->next)
        if (l->inode == want->inode && l->whole == want->whole && l->owner != want->owner && (l->exclusive || want->exclusive) &&
            l->first <= want->last && want->first <= l->last)
            return l;
    return NULL;
}

static void lock_add(const struct lock *like, int64_t first, int64_t last)
{
    struct lock *l = malloc(sizeof *l);
    if (!l)
        abort();
    *l = *like;
    l->first = first, l->last = last;
    l->next = locks;
    locks = l;
}

/* The owner holds nothing of this range any more. */
static void range_clear(struct machine *m, const struct lock *of)
{
    for (struct lock **at = &locks, *l; (l = *at);) {
        if (l->inode != of->inode || l->owner != of->owner || l->whole != of->whole || l->last < of->first || of->last < l->first) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        if (l->first < of->first)
            lock_add(l, l->first, of->first - 1);
        if (l->last > of->last)
            lock_add(l, of->last + 1, l->last);
        free(l);
        m->changes++;
        at = &locks; /* the list is another */
    }
}

static long lock_take(struct machine *m, const struct lock *want, bool waits)
{
    if (conflict_find(want))
        return waits ? ANSWER_WAIT : -EAGAIN;
    range_clear(m, want);
    lock_add(want, want->first, want->last);
    return 0;
}

/* The range that a struct flock names. */
static long range_read(const struct file *f, const struct flock *l, struct lock *want)
{
    int64_t base = l->l_whence == SEEK_CUR ? (int64_t)f->place : l->l_whence == SEEK_END ? (int64_t)tree_size(f->inode) : 0;
    want->first = base + l->l_start;
    want->last = l->l_len > 0 ? want->first + l->l_len - 1 : l->l_len < 0 ? want->first - 1 : END;
    if (l->l_len < 0)
        want->first += l->l_len;
    return want->first < 0 || want->last < want->first ? -EINVAL : 0;
}

long lock_control(struct machine *m, struct task *t, struct file *f)
{
    struct flock l;
    int64_t command = t->arg[1];
    bool of_file = command >= F_OFD_GETLK, get = command == F_GETLK || command == F_OFD_GETLK;
    if (!f->inode)
        return -EBADF;
    if (!user_get(m, t, &l, t->arg[2], sizeof l))
        return -EFAULT;
    struct lock want = {.inode = f->inode, .owner = of_file ? (const void *)f : t->process, .pid = t->process->pid, .exclusive = l.l_type == F_WRLCK};
    long error = range_read(f, &l, &want);
    if (error || (of_file && l.l_pid))
        return -EINVAL;
    if (get) {
        const struct lock *other = conflict_find(&want);
        l.l_type = !other ? F_UNLCK : other->exclusive ? F_WRLCK : F_RDLCK;
        if (other) {
            l.l_whence = SEEK_SET;
            l.l_start = other->first;
            l.l_len = other->last == END ? 0 : other->last - other->first + 1;
            l.l_pid = (pid_t)other->pid;
        }
        return user_put(m, t, t->arg[2], &l, sizeof l) ? 0 : -EFAULT;
    }
    if (l.l_type == F_UNLCK)
        return range_clear(m, &want), 0;
    if ((l.l_type == F_RDLCK && (f->flags & O_ACCMODE) == O_WRONLY) || (l.l_type == F_WRLCK && (f->flags & O_ACCMODE) == O_RDONLY))
        return -EBADF;
    if (l.l_type != F_RDLCK && l.l_type != F_WRLCK)
        return -EINVAL;
    return lock_take(m, &want, command == F_SETLKW || command == F_OFD_SETLKW);
}

long lock_whole(struct machine *m, struct task *t)
{
    const struct file *f = file_of(t, t->arg[0]);
    int64_t what = t->arg[1] & ~(int64_t)LOCK_NB;
    if (!f || !f->inode)
        return f ? -EINVAL : -EBADF;
    const struct lock want = {.inode = f->inode, .owner = f, .pid = t->process->pid, .whole = true, .exclusive = what == LOCK_EX, .last = END};
    if (what == LOCK_UN)
        return range_clear(m, &want), 0;
    return what == LOCK_SH || what == LOCK_EX ? lock_take(m, &want, !(t->arg[1] & LOCK_NB)) : -EINVAL;
}

/* Whatever descriptor of the file a process closes, it holds none of its own locks there any more: fcntl(2). */
void lock_closed(struct machine *m, const struct process *p, const struct file *f)
{
    const struct lock all = {.inode = f->inode, .owner = p, .last = END};
    range_clear(m, &all);
}

void lock_released(struct machine *m, const struct file *f)
{
    struct lock all = {.inode = f->inode, .owner = f, .last = END};
    if (!f->inode)
        return;
    range_clear(m, &all);
    all.whole = true;
    range_clear(m, &all);
}
