/* What files and directories of the world are made of: tree*.c and durable.c know. */
#ifndef DRD_SIMULATE_TREE_H
#define DRD_SIMULATE_TREE_H

#include <sys/stat.h>
#include <time.h>

#include "simulate/machine.h"

struct entry {
    char *name;
    struct inode *inode; /* NULL: the host has it, the world does not any more */
};

struct page {
    uint64_t number;
    uint8_t data[4096];
};

struct inode {
    uint64_t number, links, size;
    uint32_t mode, owner, group;
    struct timespec access, change, modified;
    char *host;             /* path on the host, NULL: made in this world */
    bool loaded;            /* a file: its content is in `data` and no longer the host's */
    uint8_t *data;
    size_t capacity;
    int shared;             /* descriptor of the memory that it is kept in, as processes map it; 0: none does */
    char *target;           /* of a link */
    struct inode *parent;   /* of a directory */
    struct entry *entry;    /* of a directory, sorted by name */
    size_t entries;
    bool listed;            /* every name of the host is among them */
    uint32_t opened;
    void *socket;           /* bound here */
    const char *virtual;    /* text that the world makes up */
    uint32_t device;        /* 1 null, 2 zero, 3 random, 4 full */
    /* What a loss of power would undo (durable.c). */
    bool dirty;             /* changed since it was made durable: */
    uint32_t node;          /* by a process of this node */
    uint64_t durable_size;
    struct page *page;      /* what stood in the pages that were overwritten, sorted */
    size_t pages;
};

/* ---- tree_inode.c ---- */
struct timespec tree_time(const struct machine *m); /* for the times of files */
struct inode *inode_create(struct machine *m, uint32_t mode);
void inode_free(struct inode *i);
void inode_unlink(struct inode *i); /* one name less; gone with the last, unless it is open */
void entry_set(struct inode *d, const char *name, struct inode *i); /* NULL: no such name */
struct inode *entry_get(struct machine *m, struct inode *d, const char *name);
void directory_list(struct machine *m, struct inode *d); /* every name of the host is an entry then */
bool directory_empty(struct machine *m, struct inode *d);

/* ---- tree_made.c ---- */
/* /proc/PID/stat and the like: how a process is, in proc(5)'s words. NULL: not such a path, or no such process. */
struct inode *process_file(struct machine *m, const struct process *asks, const char *path);

/* ---- tree_path.c ---- */
struct walk {
    struct inode *directory; /* that the last name is in */
    struct inode *found;     /* NULL: nothing of that name */
    char name[256];          /* last name; "" for the root and for dots */
    bool must_be_directory;
    int links;
};
/* The path from the directory `at`, as openat(2) takes it. Result 0, also where nothing is found, or -errno. */
long walk_from(struct machine *m, const struct process *p, int64_t at, const char *path, bool follow, struct walk *w);
const char *own_path(struct machine *m, const struct process *p, const char *path); /* what /proc/self/... stands for */

/* ---- tree_content.c ---- */
long content_write(struct machine *m, struct inode *i, const uint8_t *from, size_t size, uint64_t at);
void content_cut(struct machine *m, struct inode *i, uint64_t size);
long tree_map(struct machine *m, struct task *t); /* MAIL_MAP */
long size_set(struct machine *m, struct inode *i, int64_t size, long error);
long memory_file(struct machine *m, struct task *t);

/* ---- tree_stat.c ---- */
void stat_file(const struct file *f, struct stat *st);
long stat_of(struct machine *m, struct task *t, int64_t at, int64_t path, int64_t flags, struct stat *st);
long stat_put(struct machine *m, struct task *t, int64_t to, long error, const struct stat *st);
long statx_of(struct machine *m, struct task *t);
long tree_list(struct machine *m, struct task *t);
long file_system(struct machine *m, struct task *t, int64_t to);

/* ---- tree_names.c ---- */
long inode_open(struct machine *m, struct task *t, struct inode *i, int64_t flags);
long names_answer(struct machine *m, struct task *t, bool *mine);

/* ---- durable.c ---- */
void durable_write(struct machine *m, struct inode *i, uint64_t at, uint64_t size); /* these bytes are about to change */
void durable_done(struct inode *i);     /* its content is durable */
/* The name is about to mean another inode. `joined`: it does so together with the next such change. */
void durable_name(struct machine *m, const struct process *p, struct inode *d, const char *name, struct inode *now, bool joined);
void durable_fini(struct machine *m);

#endif
