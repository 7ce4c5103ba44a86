/* What the files of the flow share: see flow.h. */
#ifndef DRD_PROTOCOL_FLOW_INTERNAL_H
#define DRD_PROTOCOL_FLOW_INTERNAL_H

#include "protocol/flow.h"
#include "protocol/map.h"

#define SUBMISSIONS_MAX 4096 /* in flight: completions read from the ring, without a call, are not seen */
#define MAPPINGS_MAX 8
#define DESCRIPTOR_MAX (1 << 20) /* numbers above are ignored: no program here has a million descriptors */

enum description_kind { DESCRIPTION_OTHER, DESCRIPTION_SOCKET, DESCRIPTION_FILE };

/* An open file description (open(2)): shared by dup and fork. */
struct description {
    unsigned references;
    enum description_kind kind;
    bool datagram;          /* a socket without a stream of bytes */
    bool append, dsync;     /* O_APPEND, O_DSYNC or O_SYNC */
    bool writable;          /* O_WRONLY or O_RDWR */
    uint64_t offset;        /* of a file */
    uint64_t born;          /* sequence number of the event that made it */
    struct flow_end *end;   /* of a connected socket */
    struct flow_file *file;
    const char *label;      /* of DESCRIPTION_OTHER: static text for file_read, or NULL */
};

struct descriptor {
    struct description *description; /* NULL: not open, or unknown */
    bool close_on_exec;
};

struct table {
    struct descriptor *slot;
    int capacity;
};

/* A call that was begun (TRACE_ENTER) and whose result is still to come. */
struct begun {
    struct begun *next;
    uint32_t thread;
    int32_t call;
    uint64_t sequence;
    int64_t argument[6];
    struct trace_bytes input[6]; /* own copies */
    size_t sent;                 /* bytes of a connection already reported */
    uint64_t writes;             /* of the run, when it began: an fsync covers these */
};

/* One asynchronous write that was submitted. */
struct submission {
    struct submission *next;
    int64_t context;             /* of io_setup */
    struct description *description;
    uint32_t opcode;             /* IOCB_CMD_... */
    uint64_t offset, writes;     /* of the run, when it was submitted */
    struct flow_at begun;
    uint8_t *data;               /* of a write */
    size_t length;
};

/* A file that is mapped shared: msync says only how long the mapping is. */
struct mapping {
    struct flow_file *file; /* one reference */
    uint64_t length;
};

/* The table of a program that vfork's child is about to become: found again when that program's stream starts. */
struct inheritance {
    struct inheritance *next;
    int64_t pid; /* 0 while not known */
    struct table table;
    char *cwd;
};

struct process {
    uint32_t number;
    struct table table;
    char *cwd;
    struct begun *begun;
    struct submission *submission; /* oldest first */
    unsigned submissions;
    struct inheritance *heirs;
    struct mapping mapping[MAPPINGS_MAX]; /* the newest */
    unsigned mappings;
    bool in_vfork;
    struct table parent_table; /* during vfork: what the parent sees again afterwards */
};

struct flow {
    struct flow_handler on;
    struct map processes;    /* by number */
    struct map files;        /* by key of the path */
    struct map unpaired;     /* lists of connections waiting for their other end, by key of addresses and side */
    uint64_t connections;    /* ids given */
    uint64_t writes;         /* to all files: their numbers */
    /* Closed connections whose other end may still be accepted: the oldest are given up. */
    struct flow_connection *lingering[256];
    unsigned lingering_next;
    bool failed;             /* out of memory */
};

/* One call with its inputs put together from the record and from what TRACE_ENTER held. */
struct call {
    struct flow *flow;
    struct process *process;
    const struct trace_event *event;
    const struct begun *begun; /* or NULL */
    int64_t result;
    struct flow_at at;
    const int64_t *argument;
    const struct trace_bytes *output;
    struct trace_bytes input[6];
};

static inline size_t call_moved(const struct call *c, size_t recorded)
{
    return c->result <= 0 ? 0 : (uint64_t)c->result < recorded ? (size_t)c->result : recorded;
}

static inline uint32_t read_u32(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

/* flow_table.c */
struct process *flow_process(struct flow *f, uint32_t number); /* made when new; NULL: out of memory */
void flow_process_free(struct flow *f, struct process *p, const struct flow_at *at);
struct description *table_get(const struct process *p, int64_t fd); /* NULL: unknown */
void table_put(struct flow *f, struct process *p, int64_t fd, struct description *d, bool close_on_exec,
               const struct flow_at *at); /* takes over one reference of d */
void table_close(struct flow *f, struct process *p, int64_t fd, const struct flow_at *at);
void table_release(struct flow *f, struct table *t, const struct flow_at *at);
struct table table_copy(struct flow *f, const struct table *t, bool for_exec);
void table_close_on_exec(struct process *p, int64_t fd, bool value);
struct description *description_create(struct flow *f, enum description_kind kind, uint64_t born);
void description_unref(struct flow *f, struct description *d, const struct flow_at *at);

/* flow_connection.c */
void flow_connection_event(struct flow *f, struct process *p, const struct trace_event *event);
/* Bytes are about to pass: who is at the other end must be settled now. */
void flow_end_settle(struct flow *f, struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length);
void flow_end_close(struct flow *f, struct flow_end *end, const struct flow_at *at);
void flow_connections_fini(struct flow *f);

/* flow_file.c */
struct flow_file *flow_file_open(struct flow *f, const char *path); /* one more reference */
void flow_file_unref(struct flow *f, struct flow_file *file);
char *flow_path(const struct process *p, int64_t directory, struct trace_bytes path); /* absolute, malloc'ed */
void flow_file_forget(struct flow *f, const char *path); /* its name now means another file, or none */
void flow_file_rename(struct flow *f, const char *from, const char *to);

/* flow_disk.c: what calls do to the content of files */
static inline struct description *call_description(const struct call *c, int index)
{
    return table_get(c->process, c->argument[index]);
}
void flow_write_here(struct call *c, struct description *d, bool durable);
void flow_read_here(struct call *c, struct description *d, struct trace_bytes data);
void flow_rename_failed(struct call *c, const char *from);
void flow_on_pwrite(struct call *c);
void flow_on_pread(struct call *c);
void flow_on_mmap(struct call *c);
void flow_on_sync(struct call *c);
void flow_on_sync_all(struct call *c);
void flow_on_msync(struct call *c);
void flow_on_ftruncate(struct call *c);
void flow_on_stat(struct call *c);
void flow_on_io_submit(struct call *c);
void flow_on_io_getevents(struct call *c);

/* flow_calls.c: the calls that matter */
typedef void (*flow_call_fn)(struct call *c);
flow_call_fn flow_call_handler(int32_t call); /* NULL: does not matter */
void flow_send_begun(struct flow *f, struct process *p, struct begun *b, const struct flow_at *at);

#endif
