/* What the files of following share: follow.c goes through the streams, follow_apply.c does what the records say was done,
 * follow_call.c the system calls among it, follow_start.c starts the processes. */
#ifndef DRD_SIMULATE_FOLLOW_INTERNAL_H
#define DRD_SIMULATE_FOLLOW_INTERNAL_H

#include <linux/aio_abi.h>
#include <sys/socket.h>

#include "simulate/follow.h"
#include "simulate/machine.h"
#include "store/store.h"

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

#define UNDER_WAY_MOST 64

/* A process of the recording: one program, or one fork. */
struct lane {
    struct store_process *row;
    struct stream *stream;     /* NULL: not open yet, or over */
    struct trace_event next;   /* of it */
    bool opened, has_next;
    bool begun, over;          /* its first event has happened; its last one has */
    bool execed, ended;        /* it became another program; it said that it ends */
    struct process *process;   /* of the machine; NULL: not there yet, or no more, or another program's now */
    struct bytes done;         /* its records so far */
    uint64_t events;           /* so many */
    uint64_t stamp;            /* value of the last TRACE_TIME among them */
    uint64_t clock;            /* the latest time that it knows of */
    struct bytes draft;        /* the record that it was killed in */
    struct bytes kept;         /* records that have happened only together with the next: inside a vfork, before an exec */
    uint64_t kept_events;
    bool in_vfork, execing;
    int32_t last;              /* code of the last record */
    uint32_t node;             /* of the machine */
    uint32_t threads;          /* the number given last */
    struct sockaddr_storage connects_to; /* a connect has been called, and the record after it says from which address */
    uint32_t connects_size;    /* 0: none has */
    int64_t connects, connect_result; /* its descriptor */
    struct file *listener;     /* an accept that has returned; which connection it was says the record after it */
    int64_t accepted, accept_flags;
    bool maps;                 /* a file, shared and to be written: its content is not known */
    int64_t in_flight;         /* asynchronous operations of a disk that nobody has fetched */
    struct {
        uint64_t context;
        struct io_event event;
    } under_way[UNDER_WAY_MOST];
    int under_ways;
};

/* A program that has been started, and does not say so in a stream of its own; not yet, or never. */
#define STRANGERS 64
struct stranger {
    struct process *process;
    char program[256], words[600];
    bool fault, done; /* drd fault; and the recorder has done it */
};

/* The two ends of connections, the one that connected first. Sorted once all are there. */
struct pairs {
    struct pair {
        uint8_t from[18], to[18]; /* address, port */
    } *pair;
    size_t count, capacity;
};

struct follow {
    struct store *store;
    struct store_process *row;
    struct lane *lane;
    size_t count;
    struct lane *target;
    uint64_t event;            /* of the target */
    struct machine *m;
    const struct trace_event *now; /* that is being applied */
    struct pairs accepted, connected, listened; /* in all of the recording; listened: of an address with itself */
    uint64_t compared;         /* reads whose bytes were known here: they were the same */
    struct stranger stranger[STRANGERS];
    size_t strangers;          /* ever */
    bool faults_inside;        /* recorded programs start drd fault */
    struct drd_error error;    /* what cannot be followed */
};

bool bytes_append(struct bytes *b, const void *data, size_t size);
struct lane *follow_lane(struct follow *f, uint32_t number);
/* "n1@123 (connect)" of the event at hand, into static storage. */
const char *follow_name(struct follow *f, const struct lane *l, const struct trace_event *event);
bool follow_fail(struct follow *f, const struct lane *l, const struct trace_event *event, const char *why);

/* follow_apply.c */
bool follow_ready(struct follow *f, struct lane *l);
bool follow_apply(struct follow *f, struct lane *l, const struct trace_event *event); /* false: f->error */
/* Is this the stream of a program that this process becomes, and is it still to begin? */
static inline bool follow_comes(const struct lane *l, uint32_t pid)
{
    return !l->begun && l->row->number && l->row->events && l->row->pid == (int)pid;
}

/* Is its cause sure to come? */
bool follow_waits_surely(struct follow *f, const struct lane *l);
void follow_lane_over(struct follow *f, struct lane *l);
bool follow_is_glue(struct follow *f, struct lane *l); /* does its next record belong to its last one? */

/* follow_call.c */
bool call_ready(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event);
bool call_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event);
bool call_entered(struct task *t, const struct trace_event *event);
bool connection_ready(struct follow *f, struct lane *l, const struct trace_event *event);
bool connection_comes(struct follow *f, const struct lane *l); /* its other end is in the recording */
bool connect_pending(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event);
bool connection_apply(struct follow *f, struct lane *l, struct task *t, const struct trace_event *event);

/* follow_scan.c */
bool follow_scan(struct follow *f, struct drd_error *e);
bool pairs_add(struct pairs *all, struct trace_bytes from, struct trace_bytes to); /* sockaddr of any kind; false: out of memory */
void pairs_sort(struct pairs *all);
bool pairs_have(const struct pairs *all, struct trace_bytes from, struct trace_bytes to);

/* follow_stranger.c */
bool exec_is_fault(const struct trace_event *exec); /* drd fault */
void stranger_note(struct follow *f, struct process *p, const struct trace_event *exec);
void stranger_known(struct follow *f, const struct process *p); /* it has a stream */
bool stranger_asks(struct follow *f, const char *words);        /* can the recorder do this now? */
void stranger_fault(struct follow *f, const char *words);       /* it has done it */
bool stranger_is_done(struct follow *f, const struct process *p); /* what it asked for has been done */
const char *fault_words(const struct trace_event *event);       /* of a TRACE_FAULT of the recorder's; static storage */
bool strangers_end(struct follow *f);                           /* they are not in the world that follows */

/* follow_start.c */
bool follow_start(struct follow *f, struct drd_error *e);

#endif
