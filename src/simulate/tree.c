/* Files and directories of the world: the host's as they are, read only, and over them what the run makes and changes, in memory.
 * Inode numbers count up in the order in which files are made, those of the host follow from their names; times are the world's.
 * Sources: open(2), stat(2), rename(2), getdents(2), path_resolution(7). */
#include "simulate/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MOST 40
#define DEVICE 0x801

/* ---- inodes ---- */

static struct timespec world_time(const struct machine *m)
{
    uint64_t now = m->box ? m->box->now + m->box->epoch : 0;
    return (struct timespec){(time_t)(now / SECOND), (long)(now % SECOND)};
}

static struct inode *inode_create(struct machine *m, uint32_t mode)
{
    struct inode *i = calloc(1, sizeof *i);
    if (!i)
        abort();
    i->number = ++m->next_inode;
    i->mode = mode;
    i->links = S_ISDIR(mode) ? 2 : 1;
    i->access = i->change = i->modified = world_time(m);
    i->loaded = true;
    return i;
}

static void inode_free(struct inode *i)
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

static void inode_unlink(struct inode *i)
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

/* ---- directories ---- */

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

static struct inode *entry_get(struct machine *m, struct inode *d, const char *name)
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
static void directory_list(struct machine *m, struct inode *d)
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

static struct inode *made_file(struct machine *m, struct inode *d, const char *name, const char *text, uint32_t device)
{
    struct inode *i = inode_create(m, device ? S_IFCHR | 0666 : S_IFREG | 0444);
    i->virtual = text;
    i->device = device;
    i->size = text ? strlen(text) : 0;
    entry_set(d, name, i);
    return i;
}

static struct inode *made_directory(struct machine *m, struct inode *d, const char *name)
{
    struct inode *i = inode_create(m, S_IFDIR | 0755);
    entry_set(d, name, i);
    return i;
}

static struct inode *made_link(struct machine *m, struct inode *d, const char *name, const char *target)
{
    struct inode *i = inode_create(m, S_IFLNK | 0777);
    i->target = strdup(target);
    entry_set(d, name, i);
    return i;
}

static const char memory_text[] = "MemTotal:        4194304 kB\nMemFree:         2097152 kB\nMemAvailable:    3145728 kB\n"
                                  "Buffers:               0 kB\nCached:           524288 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n";
static const char processor_text[] = "processor\t: 0\nmodel name\t: simulated\ncpu MHz\t\t: 1000.000\n";
static const char statistics_text[] = "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nbtime 1700000000\n";
static const char status_text[] = "Name:\tnode\nState:\tR (running)\nThreads:\t1\nVmRSS:\t   10240 kB\nCpus_allowed_list:\t0\nMems_allowed_list:\t0\n";

/* What is the machine's own: nothing of it is to be seen. */
struct inode *tree_create(struct machine *m)
{
    struct inode *root = m->tree = inode_create(m, S_IFDIR | 0755), *d;
    root->host = strdup("/");
    root->parent = root;
    root->modified = root->change = root->access = (struct timespec){0};
    d = made_directory(m, root, "dev");
    made_file(m, d, "null", NULL, 1);
    made_file(m, d, "zero", NULL, 2);
    made_file(m, d, "urandom", NULL, 3);
    made_file(m, d, "random", NULL, 3);
    made_file(m, d, "full", NULL, 4);
    made_link(m, d, "fd", "/proc/self/fd");
    made_directory(m, d, "shm");
    d = made_directory(m, root, "proc");
    made_file(m, d, "meminfo", memory_text, 0);
    made_file(m, d, "cpuinfo", processor_text, 0);
    made_file(m, d, "stat", statistics_text, 0);
    made_file(m, d, "uptime", "1.00 1.00\n", 0);
    made_file(m, d, "loadavg", "0.00 0.00 0.00 1/1 1\n", 0);
    made_file(m, d, "filesystems", "nodev\tproc\n\text4\n", 0);
    made_file(m, d, "mounts", "/dev/root / ext4 rw 0 0\n", 0);
    made_file(m, made_directory(m, d, "net"), "tcp", "  sl  local_address rem_address   st\n", 0);
    made_file(m, made_directory(m, d, "self"), "status", status_text, 0);
    made_file(m, made_directory(m, made_directory(m, d, "sys"), "kernel"), "cap_last_cap", "40\n", 0);
    struct inode *cpu = made_directory(m, made_directory(m, made_directory(m, made_directory(m, root, "sys"), "devices"), "system"), "cpu");
    made_file(m, cpu, "possible", "0\n", 0);
    made_file(m, cpu, "online", "0\n", 0);
    made_directory(m, made_directory(m, root, "run"), "drd");
    return root;
}

void tree_destroy(struct machine *m)
{
    durable_fini(m);
    if (m->tree)
        inode_free(m->tree);
    m->tree = NULL;
}

/* ---- paths ---- */

struct walk {
    struct inode *directory; /* that the last name is in */
    struct inode *found;     /* NULL: nothing of that name */
    char name[256];          /* last name; "" for the root and for dots */
    bool must_be_directory;
    int links;
};

static long walk_path(struct machine *m, const struct process *p, struct inode *from, const char *path, bool follow, struct walk *w);

static long walk_link(struct machine *m, const struct process *p, struct inode *d, struct inode *link, bool follow, struct walk *w)
{
    if (++w->links > LINKS_MOST)
        return -ELOOP;
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s", link->target ? link->target : "");
    return walk_path(m, p, d, target, follow, w);
}

static long step(struct machine *m, const struct process *p, struct walk *w, bool last, bool follow)
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
        long error = step(m, p, w, last, follow);
        if (error)
            return error;
    }
    return w->must_be_directory && w->found && !S_ISDIR(w->found->mode) ? -ENOTDIR : 0;
}

/* /proc/self/exe, /proc/self/fd/N and the like: of the process that asks. */
static const char *own_path(struct machine *m, const struct process *p, const char *path)
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

static long walk_from(struct machine *m, const struct process *p, int64_t at, const char *path, bool follow, struct walk *w)
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

bool tree_executable(const struct inode *i)
{
    return S_ISREG(i->mode) && i->mode & 0111;
}

/* ---- content ---- */

static void shared_reserve(struct inode *i, uint64_t size)
{
    size_t capacity = (size + 4095) & ~4095ul;
    if (ftruncate(i->shared, (off_t)capacity) < 0)
        abort();
    void *at = i->capacity ? mremap(i->data, i->capacity, capacity, MREMAP_MAYMOVE)
                           : mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, i->shared, 0);
    if (at == MAP_FAILED)
        abort();
    i->data = at;
    i->capacity = capacity;
}

static void content_reserve(struct inode *i, uint64_t size)
{
    if (size <= i->capacity)
        return;
    if (i->shared) {
        shared_reserve(i, size);
        return;
    }
    size_t capacity = i->capacity ? i->capacity : 4096;
    while (capacity < size)
        capacity *= 2;
    bool fresh = !i->capacity; /* pages that nobody writes cost nothing then: libraft reserves 8 MB a segment */
    i->data = fresh ? calloc(1, capacity) : realloc(i->data, capacity);
    if (!i->data)
        abort();
    if (!fresh)
        memset(i->data + i->capacity, 0, capacity - i->capacity);
    i->capacity = capacity;
}

/* Before the first change: the host's file stays as it is. */
static void content_load(struct inode *i)
{
    if (i->loaded)
        return;
    i->loaded = true;
    content_reserve(i, i->size);
    int fd = open(i->host, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    for (uint64_t at = 0; fd >= 0 && at < i->size && (n = pread(fd, i->data + at, i->size - at, (off_t)at)) > 0; at += (uint64_t)n)
        ;
    if (fd >= 0)
        close(fd);
}

static long content_read(struct task *t, struct inode *i, uint8_t *to, size_t size, uint64_t at)
{
    if (i->device == 1)
        return 0;
    if (i->device == 3) {
        for (size_t k = 0; k < size; k++)
            to[k] = (uint8_t)chance_next(&t->process->numbers);
        step_draw(t, to, size);
    }
    if (i->device == 2 || i->device == 4)
        memset(to, 0, size);
    if (i->device)
        return (long)size;
    if (at >= i->size)
        return 0;
    size = size < i->size - at ? size : i->size - at;
    if (i->virtual)
        memcpy(to, i->virtual + at, size);
    else if (i->loaded)
        memcpy(to, i->data + at, size);
    else {
        int fd = open(i->host, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : pread(fd, to, size, (off_t)at);
        if (fd >= 0)
            close(fd);
        return n < 0 ? -EIO : n;
    }
    return (long)size;
}

size_t tree_peek(struct inode *i, char *to, size_t size)
{
    long n = i->device ? 0 : content_read(NULL, i, (uint8_t *)to, size, 0);
    return n < 0 ? 0 : (size_t)n;
}

static long content_write(struct machine *m, struct inode *i, const uint8_t *from, size_t size, uint64_t at)
{
    if (i->device)
        return i->device == 4 ? -ENOSPC : (long)size;
    if (i->virtual)
        return -EACCES;
    content_load(i);
    durable_write(m, i, at, size);
    content_reserve(i, at + size);
    memcpy(i->data + at, from, size);
    if (at + size > i->size)
        i->size = at + size;
    i->modified = i->change = world_time(m);
    return (long)size;
}

void content_cut(struct machine *m, struct inode *i, uint64_t size)
{
    content_load(i);
    durable_write(m, i, size < i->size ? size : i->size, size < i->size ? i->size - size : size - i->size);
    content_reserve(i, size);
    if (size < i->size)
        memset(i->data + size, 0, i->size - size);
    i->size = size;
    i->modified = i->change = world_time(m);
}

static long regular_read(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at)
{
    (void)m;
    long n = content_read(t, f->inode, to, size, at < 0 ? f->place : (uint64_t)at);
    if (n > 0 && at < 0)
        f->place += (uint64_t)n;
    return n;
}

static long regular_write(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at)
{
    uint64_t place = f->flags & O_APPEND ? f->inode->size : at < 0 ? f->place : (uint64_t)at;
    int error = f->inode->device ? 0 : disk_refuses(m, t, place + size > f->inode->size);
    long n = error ? -error : content_write(m, f->inode, from, size, place);
    if (n > 0 && at < 0)
        f->place = place + (uint64_t)n;
    if (n > 0 && f->flags & (O_DSYNC | O_SYNC) && t && !m->node[t->process->node].disk.lies)
        durable_done(f->inode);
    return n;
}

static uint32_t regular_poll(struct machine *m, struct file *f)
{
    (void)m, (void)f;
    return 1 | 4; /* POLLIN, POLLOUT */
}

static void regular_close(struct machine *m, struct file *f)
{
    (void)m;
    if (!--f->inode->opened && !f->inode->links)
        inode_free(f->inode);
}

const struct file_kind file_regular = {"file", regular_read, regular_write, regular_poll, regular_close};
const struct file_kind file_directory = {"directory", NULL, NULL, regular_poll, regular_close};

/* ---- calls ---- */

static long inode_open(struct machine *m, struct task *t, struct inode *i, int64_t flags)
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
    w->directory->modified = w->directory->change = world_time(m);
    return i;
}

/* /proc/PID/stat and /proc/PID/status: how a process is, in proc(5)'s words. NULL: no such process. */
static struct inode *process_file(struct machine *m, const char *path)
{
    unsigned pid = 0;
    char what[16] = "", text[200];
    struct process *p = sscanf(path, "/proc/%u/%15s", &pid, what) == 2 ? machine_process(m, pid) : NULL;
    if (!p || strcmp(what, "stat"))
        return NULL;
    snprintf(text, sizeof text, "%u (%s) %c %u %u %u 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 10485760 2560\n", p->pid, p->name,
             p->state == PROCESS_ZOMBIE ? 'Z' : 'S', p->parent, p->group, p->session);
    struct inode *i = inode_create(m, S_IFREG | 0444);
    i->links = 0;
    content_write(m, i, (const uint8_t *)text, strlen(text), 0);
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
    struct inode *of_process = strncmp(path, "/proc/", 6) ? NULL : process_file(m, path);
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

static void stat_file(const struct file *f, struct stat *st)
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

static long stat_of(struct machine *m, struct task *t, int64_t at, int64_t path, int64_t flags, struct stat *st)
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

static long stat_put(struct machine *m, struct task *t, int64_t to, long error, const struct stat *st)
{
    return error ? error : user_put(m, t, to, st, sizeof *st) ? 0 : -EFAULT;
}

static struct statx_timestamp stamp(struct timespec ts)
{
    return (struct statx_timestamp){.tv_sec = ts.tv_sec, .tv_nsec = (uint32_t)ts.tv_nsec};
}

static long statx_of(struct machine *m, struct task *t)
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

static long list(struct machine *m, struct task *t)
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

static long seek(struct task *t)
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

static bool directory_empty(struct machine *m, struct inode *d)
{
    directory_list(m, d);
    for (size_t i = 0; i < d->entries; i++)
        if (d->entry[i].inode)
            return false;
    return true;
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
        return -EBUSY;
    if (directory != !!S_ISDIR(w.found->mode))
        return directory ? -ENOTDIR : -EISDIR;
    if (directory && !directory_empty(m, w.found))
        return -ENOTEMPTY;
    struct inode *gone = w.found;
    durable_name(m, t->process, w.directory, w.name, NULL, false);
    w.directory->modified = w.directory->change = world_time(m);
    if (directory)
        gone->links = 0;
    else
        inode_unlink(gone);
    return 0;
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
    if (b.found == a.found)
        return 0;
    if (b.found && flags & 1) /* RENAME_NOREPLACE */
        return -EEXIST;
    if (b.found && S_ISDIR(b.found->mode) && (!S_ISDIR(a.found->mode) || !directory_empty(m, b.found)))
        return S_ISDIR(a.found->mode) ? -ENOTEMPTY : -EISDIR;
    if (S_ISDIR(a.found->mode))
        directory_list(m, a.found); /* its names stay, whatever the host has at its new place */
    struct inode *replaced = b.found;
    if (replaced && S_ISREG(a.found->mode))
        durable_done(a.found); /* ext4 writes what replaces a file before it gets the name: auto_da_alloc, ext4(5) */
    durable_name(m, t->process, a.directory, a.name, NULL, true);
    durable_name(m, t->process, b.directory, b.name, a.found, false);
    a.directory->modified = b.directory->modified = a.found->change = world_time(m);
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
    long error = tree_find(m, t->process, at, source, flags & AT_SYMLINK_FOLLOW, &i);
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
    struct timespec ts[2] = {world_time(m), world_time(m)};
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
    i->change = world_time(m);
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

static long file_system(struct machine *m, struct task *t, int64_t to)
{
    struct statfs s = {.f_type = 0xef53, .f_bsize = 4096, .f_blocks = 1u << 22, .f_bfree = 1u << 21, .f_bavail = 1u << 21,
                       .f_files = 1u << 20, .f_ffree = 1u << 19, .f_namelen = 255, .f_frsize = 4096};
    return user_put(m, t, to, &s, sizeof s) ? 0 : -EFAULT;
}

static long memory_file(struct machine *m, struct task *t)
{
    struct inode *i = inode_create(m, S_IFREG | 0777);
    i->links = 0;
    return inode_open(m, t, i, O_RDWR | (t->arg[1] & 1 ? O_CLOEXEC : 0));
}

long tree_fallocate(struct machine *m, struct file *f, int64_t mode, int64_t offset, int64_t length)
{
    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode & ~1) /* all but FALLOC_FL_KEEP_SIZE */
        return -EOPNOTSUPP;
    if (!(mode & 1) && (uint64_t)(offset + length) > f->inode->size)
        content_cut(m, f->inode, (uint64_t)(offset + length));
    return 0;
}

/* What is mapped shared lives in a file beside the mailbox from then on, which processes and the machine both map. */
static long content_share(struct machine *m, struct inode *i, char *path, size_t size)
{
    char name[40];
    snprintf(name, sizeof name, "map.%llu", (unsigned long long)i->number);
    snprintf(path, size, MAILBOX_SPOOL_DIR "/%s", name);
    if (i->shared)
        return 0;
    content_load(i);
    int fd = openat(m->directory, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -ENODEV;
    uint8_t *before = i->data;
    i->shared = fd;
    i->capacity = 0;
    i->data = NULL;
    shared_reserve(i, i->size ? i->size : 1);
    if (i->size)
        memcpy(i->data, before, i->size);
    free(before);
    return 0;
}

/* For mmap: the file of the host where it shows that one unchanged. */
static long map(struct machine *m, struct task *t)
{
    struct file *f = file_of(t, t->arg[0]);
    struct mail *mail = task_mail(m, t);
    if (!f || !f->inode || f->kind != &file_regular)
        return f ? -ENODEV : -EBADF;
    if (t->arg[1])
        return content_share(m, f->inode, mail->text, sizeof mail->text);
    const char *host = tree_host(f->inode);
    if (host)
        snprintf(mail->text, sizeof mail->text, "%s", host);
    return host ? 0 : 1;
}

/* ---- sockets that have names ---- */

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

static long mode_set(struct machine *m, struct inode *i, int64_t mode, long error)
{
    if (!i)
        return error;
    i->mode = (i->mode & S_IFMT) | ((uint32_t)mode & 07777);
    i->change = world_time(m);
    return 0;
}

static long size_set(struct machine *m, struct inode *i, int64_t size, long error)
{
    if (!i)
        return error;
    if (!S_ISREG(i->mode) || size < 0)
        return -EINVAL;
    content_cut(m, i, (uint64_t)size);
    return 0;
}

#define TEXT(n, slot) user_text(m, t, a[n], slot)

static long names_answer(struct machine *m, struct task *t, bool *mine)
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
    case SYS_getdents64: return list(m, t);
    case SYS_lseek: return seek(t);
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
    case MAIL_MAP: return map(m, t);
    }
    *mine = false;
    return -ENOSYS;
}
