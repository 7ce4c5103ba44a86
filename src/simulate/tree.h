/* What files and directories of the world are made of: tree.c and durable.c know. */
#ifndef DRD_SIMULATE_TREE_H
#define DRD_SIMULATE_TREE_H

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

/* ---- tree.c ---- */
void entry_set(struct inode *d, const char *name, struct inode *i); /* NULL: no such name */
void content_cut(struct machine *m, struct inode *i, uint64_t size);

/* ---- durable.c ---- */
void durable_write(struct machine *m, struct inode *i, uint64_t at, uint64_t size); /* these bytes are about to change */
void durable_done(struct inode *i);     /* its content is durable */
/* The name is about to mean another inode. `joined`: it does so together with the next such change. */
void durable_name(struct machine *m, const struct process *p, struct inode *d, const char *name, struct inode *now, bool joined);
void durable_fini(struct machine *m);

#endif
