/* The simulated world: one machine that all processes of a run live on, with a clock, a network and disks of its own, in which one
 * thread runs at a time. Everything that happens follows from the seed.
 *
 * A thread runs until it asks (trace/mailbox.h). The question is answered by a function of the machine, at once or, where it
 * returns ANSWER_WAIT, later: the same function is tried again whenever something has happened, or its deadline has come. When no
 * thread can go on, the clock moves on to the next moment at which something is due. */
#ifndef DRD_SIMULATE_MACHINE_H
#define DRD_SIMULATE_MACHINE_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "simulate/chance.h"
#include "simulate/model.h"
#include "simulate/plan.h"
#include "trace/mailbox.h"
#include "util/error.h"

#define ANSWER_WAIT LONG_MIN
#define NEVER UINT64_MAX
#define MILLISECOND 1000000ull
#define SECOND 1000000000ull

#define BEGINNING SECOND /* of a world that begins anew */
#define MACHINE_NODES 64
#define DESCRIPTORS 4096
#define SIGNAL_BIT(n) (1ull << ((n) - 1))

struct machine;
struct file;
struct inode;
struct start;
struct sent;

enum task_state {
    TASK_STARTING, /* its thread has not asked yet */
    TASK_READY,    /* has an answer and waits for its turn */
    TASK_WAITING,  /* its question cannot be answered yet */
    TASK_RUNNING,
    TASK_PARENT,   /* waits for the child of its vfork */
};

/* A thread. */
struct task {
    struct task *next;
    struct process *process;
    enum task_state state;
    uint32_t mail, tid;
    int64_t nr, arg[6];
    uint64_t blocked;      /* its signal mask */
    uint64_t waits_with;   /* mask during the call, where the call brings one */
    bool has_mask;
    uint64_t pending;      /* signals sent to this thread alone */
    uint64_t deadline;     /* of the question, NEVER: none */
    bool begun;            /* the question was tried before */
    uint64_t word;         /* futex it waits on, 0 none */
    uint32_t word_bits;
    bool woken;
    size_t done;           /* of the question under way: what has been sent of it, and is not sent again */
    struct plan_step **step; /* what the plan wants of the question under way, `steps` of them */
    size_t steps;
    long result;           /* TASK_READY */
    uint64_t since;        /* it had its turn last, for fairness */
    uint32_t number;       /* of a process that is followed: of the thread in its stream */
    uint64_t began;        /* ... and when its last record was: it has waited since then, 0: no more */
    uint8_t *entered;      /* ... record of what the call under way was given, where that is one of its own */
    size_t entered_size;
    uint64_t asked;        /* when the question under way began */
    struct task *vfork_parent;
    struct task *becomes;  /* has asked to be another program: the thread that starts it */
    struct task *was;      /* the other way round */
};

enum process_state { PROCESS_ALIVE, PROCESS_ZOMBIE, PROCESS_GONE };

struct descriptors {
    struct {
        struct file *file;
        bool close_on_exec;
    } at[DESCRIPTORS];
};

/* A process. */
struct process {
    struct process *next;
    enum process_state state;
    uint32_t pid, parent, group, session;
    pid_t real;
    uint32_t home;               /* mail whose dispositions count */
    struct descriptors *descriptors;
    struct inode *directory;
    char *program;               /* path, absolute */
    uint32_t umask;
    uint64_t refused;            /* when it was refused io_uring, 0: it was not */
    uint64_t pending;
    struct sent *sent;           /* the pending signals, to its threads too: signals.c */
    int stopped, stop_untold;    /* by this signal, 0 not; and nobody has waited for it yet */
    bool continue_untold;
    int status;                  /* as waitpid(2) gives it */
    uint32_t node;               /* network and disk it is on; 0: unnamed, on the first process's */
    uint64_t alarm, alarm_every; /* setitimer(2), NEVER none */
    char name[16];
    struct timer *timers;
    unsigned timer_count;
    struct chance numbers, disk;
    struct start *start; /* of the program that is about to begin, NULL none */
    unsigned rests;      /* the plan has it do nothing: so many of its steps at this moment */
    bool launched;       /* the machine started it: the real one is our child */
    bool reaped, died;           /* the real one */
};

/* Something due at a moment. */
struct due {
    uint64_t time, order;
    void (*happen)(struct machine *m, void *what); /* NULL: only a moment to look again */
    void *what;
};

struct machine_options {
    uint64_t seed;
    uint64_t time_limit; /* virtual ns, 0: none */
    uint64_t patience;   /* processor time, ns, that a thread may take without a system call; 0: SPIN_PATIENCE */
    const struct model *model; /* that faults are drawn from, NULL: none are */
    struct follow *follow; /* a recording to go on from, NULL: the world begins anew */
    struct plan *plan;   /* NULL: none; its steps are marked as they come to pass */
    void (*warn)(const char *text);
    /* a fault was asked for; `now`: of the world, ns */
    void (*note)(void *context, int count, char **word, uint64_t now);
    void *note_context;
};

struct machine {
    struct machine_options options;
    struct mailbox *box;
    uint64_t seed;        /* that chance follows from now */
    uint64_t beginning;   /* moments of plans, models and messages count from here */
    struct follow *follow; /* a recording is gone through: nothing runs, what is done is done at once */
    int wanted[2];        /* meanwhile: descriptors that the next files get, -1: any */
    const struct process *deaf; /* meanwhile: what the call at hand sends to it stands in the recording, NULL: nobody */
    struct task *first;   /* has the first turn after that, NULL: anybody */
    struct chance turns;
    struct ordinal *ordinal; /* of each name, how many there were: a hash table */
    size_t ordinals, ordinal_capacity;
    struct plan_step **step; /* of the plan: those at events, in their order */
    size_t steps, afters;    /* so many of them are PLAN_AFTER */
    struct chance faults;
    struct model model;       /* what of options.model holds in this run */
    uint64_t model_round;     /* faults drawn so far */
    uint64_t model_messages;  /* until the next one, 0: it comes by time */
    struct plan_step **drawn; /* from the model so far */
    size_t drawns;
    struct task *tasks;
    struct process *processes;
    struct process *root;
    struct task *running;
    uint32_t next_pid;
    uint32_t next_mail;
    uint64_t answered;    /* questions so far */
    uint64_t burst;       /* questions of the running thread since its turn began */
    struct due *due;      /* a heap */
    size_t dues, due_capacity;
    uint64_t due_order;
    uint64_t changes;     /* raised by whatever could let a waiting thread go on */
    /* files */
    struct inode *tree;
    int directory;        /* of the spool, on the host */
    uint64_t next_inode;
    uint32_t next_port;
    struct socket *sockets;
    char **environment;   /* not ours */
    struct {
        char name[64];
        bool paused;
        int64_t off;             /* its time of day from the world's, ns */
        struct start *start;     /* how its first program was started, NULL: not known */
        struct {
            uint64_t slow;       /* ns more for each sync */
            int error;           /* of each write and sync, 0 none */
            bool full, lies;
        } disk;
        struct journal *journal; /* changes of names that are not durable yet */
    } node[MACHINE_NODES];
    uint32_t nodes; /* [0] is for processes without a name */
    bool cut[MACHINE_NODES][MACHINE_NODES], alone[MACHINE_NODES];
    bool held[MACHINE_NODES][MACHINE_NODES]; /* cut one way: what is sent waits */
    uint32_t lose, duplicate;                /* datagrams, percent */
    bool datagrams;                          /* some were sent from node to node */
    struct model_network network;
    struct task *asking;                     /* whose question is being answered */
    struct drd_error failure; /* something that cannot be simulated: the end of the world */
    bool over;
    unsigned calm;                           /* no message is late: so many steps of the plan say so at this moment */
    bool cut_short;                          /* by the plan */
    bool stopped;                            /* from outside, by another thread */
    uint64_t ending_at;
    char unknown[512];    /* calls nobody answers here, told once each */
    uint8_t told[512];
    uint8_t *scratch;     /* for data on its way */
    size_t scratch_size;
};

/* ---- machine.c ---- */
struct machine *machine_create(const struct machine_options *options, int spool_directory, struct drd_error *e);
void machine_destroy(struct machine *m); /* accepts NULL */
/* The first process, about to be started by the caller: `pid` is known then. */
bool machine_start(struct machine *m, pid_t pid, const char *program, const char *directory, struct drd_error *e);
/* From another thread: machine_run() ends, and everything that runs. */
void machine_stop(struct machine *m);
/* Until the last process has ended. False: the world came to an end by itself (deadlock, a thread that never asks). */
bool machine_run(struct machine *m, struct drd_error *e);

static inline uint64_t machine_now(const struct machine *m)
{
    return m->box->now;
}
/* Its time of day. */
static inline uint64_t machine_day(const struct machine *m, const struct process *p)
{
    return m->box->now + m->box->epoch + (uint64_t)m->box->process[p->home].realtime;
}
void machine_due(struct machine *m, uint64_t time, void (*happen)(struct machine *, void *), void *what);
void machine_due_now(struct machine *m); /* all that is due by now happens */
void machine_forget(struct machine *m, void *what); /* nothing of what was due with this happens any more */
struct task *machine_task(struct machine *m, struct process *p, enum task_state state);
void task_destroy(struct machine *m, struct task *t);
struct process *machine_process(struct machine *m, uint32_t pid);
uint8_t *machine_scratch(struct machine *m, size_t size); /* valid until the next call */
struct mail *task_mail(struct machine *m, const struct task *t);
/* The deadline of the question under way, `after` ns from when it was first asked. True once it is over. */
bool task_times_out(struct machine *m, struct task *t, uint64_t after);

/* ---- chance.c ---- */
enum chance_kind { CHANCE_CONNECTION = 1, CHANCE_DATAGRAMS, CHANCE_NUMBERS, CHANCE_DISK, CHANCE_START, CHANCE_FAULTS, CHANCE_CRASH };

/* The next stream of chance of this kind between or of those named. */
void chance_named(struct machine *m, struct chance *c, enum chance_kind kind, const char *a, const char *b);
void chance_fresh(struct machine *m, uint64_t seed); /* from now on all chance follows from this seed */
const char *process_who(const struct machine *m, const struct process *p); /* its node's name, or its program's */

/* ---- steps.c: the plan ---- */
void steps_begin(struct machine *m);
void steps_take(struct machine *m, struct task *t); /* the thread asks: what does the plan want of it? */
void step_due(struct machine *m, struct plan_step *s);
void model_begin(struct machine *m); /* model.c */
void model_strike(struct machine *m, uint64_t seed, const char *node); /* "": any */
void model_sent(struct machine *m, uint32_t from, uint32_t to); /* a message from node to node, 0: none of them */
void steps_end(struct machine *m);                  /* what did not come to pass is told */
struct plan_step *step_of(const struct task *t, enum plan_kind kind); /* not met yet, NULL none; `t` may be NULL */
uint64_t step_timer(const struct task *t, uint64_t after);
void step_draw(const struct task *t, uint8_t *bytes, size_t size);
bool step_drop(const struct task *t);
uint64_t step_delay(const struct task *t);
struct plan_step *step_waits(struct machine *m, const struct task *t); /* for something else that has not happened; NULL: it need not */
void step_answered(struct machine *m, const struct task *t);
void steps_happened(struct machine *m, uint32_t process, uint64_t events); /* so many, in a recording that is gone on from */

/* ---- user.c: the memory of the asking process ---- */
bool user_get(struct machine *m, const struct task *t, void *to, int64_t address, size_t size);
bool user_put(struct machine *m, const struct task *t, int64_t address, const void *from, size_t size);
/* A string; NULL if it is not readable or longer than PATH_MAX. Static storage of `slot` (0..1). */
const char *user_text(struct machine *m, const struct task *t, int64_t address, int slot);

char *user_copy(struct machine *m, const struct task *t, int64_t address); /* to be freed; as long as execve(2) takes it */

/* ---- answer.c ---- */
long answer(struct machine *m, struct task *t);

/* ---- spin.c ---- */
struct spin {
    uint64_t began, computed; /* when its turn began, 0: now, and what it had computed by then: real ns */
    pid_t pid;
};
#define SPIN_PATIENCE (10 * SECOND)
/* May it go on without asking? Not for longer than patience: then the error says who and where. */
bool spin_look(struct machine *m, const struct process *p, struct spin *s, struct drd_error *e);

/* ---- process.c ---- */
long process_answer(struct machine *m, struct task *t, bool *mine);
struct process *process_create(struct machine *m, const struct process *parent);
void process_end(struct machine *m, struct process *p, int status); /* as waitpid(2) gives it */
void process_program(struct process *p, const char *path);
void process_called(const struct machine *m, const struct process *p, char *text, size_t size); /* as messages name it */
void process_real_gone(struct machine *m, struct process *p);

/* ---- signals.c ---- */
void process_signal(struct machine *m, struct process *p, const siginfo_t *info);
void signal_thread(struct machine *m, struct process *p, uint32_t tid, const siginfo_t *info); /* 0: to the process */
/* The signal that this thread is to be interrupted by, 0 none: it is taken out. Ends the process where that is what it does. */
int process_take_signal(struct machine *m, struct task *t, siginfo_t *info);
int signal_take(struct machine *m, struct task *t, uint64_t set, siginfo_t *info); /* one of these that waits, 0 none */
void signals_exec(struct machine *m, struct process *p, const struct task *now);
void signals_thread_gone(struct process *p, const struct task *t);
void signals_fini(struct process *p);
long signals_answer(struct machine *m, struct task *t, bool *mine);

/* ---- exec.c ---- */
/* A script that was made in this world, and what its first line says. No interpreter: it is none. */
struct script {
    char interpreter[256], argument[256], path[1024];
};
long exec_answer(struct machine *m, struct task *t);

/* ---- start.c: how programs are started, to start them again ---- */
void start_note(struct machine *m, const struct task *t, const char *program, const struct script *s); /* the thread becomes this program */
void start_take(struct machine *m, struct process *p); /* it has begun, and its node is known */
void process_restart(struct machine *m, uint32_t node); /* as soon as no program is on its way */
bool restart_next(struct machine *m);                   /* start one that is to be, if there is one */
void start_destroy(struct machine *m, struct start *s); /* accepts NULL */

/* ---- files.c ---- */
/* What an open file does. `at` is a place in it, -1: where the file is. Results are those of the system call. */
struct file_kind {
    const char *name;
    long (*read)(struct machine *m, struct task *t, struct file *f, uint8_t *to, size_t size, int64_t at);
    long (*write)(struct machine *m, struct task *t, struct file *f, const uint8_t *from, size_t size, int64_t at);
    uint32_t (*poll)(struct machine *m, struct file *f); /* EPOLLIN ... */
    void (*close)(struct machine *m, struct file *f);
};

struct file {
    const struct file_kind *kind;
    uint32_t references, flags; /* O_RDWR ..., O_NONBLOCK, O_APPEND */
    uint64_t place;
    uint64_t changes;     /* raised when it becomes ready anew: edge-triggered epoll */
    struct inode *inode;
    void *state;
    uint32_t owner, own_signal;
};

struct file *file_create(const struct file_kind *kind, uint32_t flags, void *state);
void file_release(struct machine *m, struct file *f);
struct file *file_of(const struct task *t, int64_t fd); /* NULL: EBADF */
/* The lowest free descriptor from `from` on; the file's reference goes to it. -EMFILE */
long file_install(struct machine *m, struct process *p, struct file *f, bool close_on_exec, int from);
void descriptors_close(struct machine *m, struct process *p);
void descriptors_exec(struct machine *m, struct process *p);
struct descriptors *descriptors_copy(const struct descriptors *d);
bool file_blocks(const struct file *f);
long files_answer(struct machine *m, struct task *t, bool *mine);

/* ---- locks.c ---- */
long lock_control(struct machine *m, struct task *t, struct file *f); /* fcntl(2) */
long lock_whole(struct machine *m, struct task *t);                   /* flock(2) */
void lock_closed(struct machine *m, const struct process *p, const struct file *f);
void lock_released(struct machine *m, const struct file *f);

/* ---- tree.c: files and directories ---- */
long tree_answer(struct machine *m, struct task *t, bool *mine);
struct inode *tree_create(struct machine *m);
void tree_destroy(struct machine *m);
/* Path to an inode; follows links unless told not to. Result 0 or -errno. */
long tree_find(struct machine *m, const struct process *p, int64_t at, const char *path, bool follow, struct inode **found);
long tree_bind(struct machine *m, const struct process *p, const char *path, void *socket);
void *tree_bound(struct machine *m, const struct process *p, const char *path, long *error);
void tree_socket_gone(struct machine *m, const void *socket);
const char *tree_path(struct machine *m, struct inode *i); /* static storage */
const char *tree_host(struct inode *i); /* the file of the host that it shows unchanged, NULL none */
uint64_t tree_size(const struct inode *i);
bool tree_executable(const struct inode *i);
size_t tree_peek(struct inode *i, char *to, size_t size); /* its first bytes */
extern const struct file_kind file_regular, file_directory;
void tree_crash(struct machine *m, uint32_t node); /* what its processes wrote and did not make durable is lost or torn */
void tree_sync(struct machine *m, struct inode *i, uint32_t node); /* durable from now on, with all names of the node */
void tree_hold(struct inode *i); /* it stays though it has no name any more, until it is let go */
void tree_let_go(struct machine *m, struct inode *i);
/* This name is not there, whatever the machine has: a recording that is gone through is about to make it. */
void tree_forget(struct machine *m, const struct process *p, int64_t at, const char *path, size_t length);
void tree_sync_all(struct machine *m, uint32_t node);
long tree_fallocate(struct machine *m, struct file *f, int64_t mode, int64_t offset, int64_t length);

/* ---- pipe.c ---- */
long pipe_answer(struct machine *m, struct task *t, bool *mine);
struct file *console_create(int fd, uint32_t flags); /* -1: nobody sees what is written */
extern const struct file_kind file_console, file_pipe;
size_t pipe_readable(const struct file *f); /* bytes */
bool pipe_has(const struct file *f, size_t *bytes); /* false: no pipe */
void pipe_owe(struct file *f, size_t bytes);        /* read before they were written */

/* ---- socket.c ---- */
long socket_answer(struct machine *m, struct task *t, bool *mine);
extern const struct file_kind file_socket;
bool socket_sends(const struct task *t); /* does it ask to send something to another process? */
size_t socket_readable(const struct machine *m, const struct file *f); /* bytes */

void socket_cut(struct machine *m); /* break what is cut */
void sockets_fresh(struct machine *m, void (*reseed)(const struct machine *, struct chance *));
void sockets_reset(struct machine *m, uint32_t a, uint32_t b);
void sockets_hold(struct machine *m, uint32_t from, uint32_t to); /* what is on its way does not come through a cut */
void sockets_go_on(struct machine *m, const struct plan_step *s); /* what waited by this step of the plan is on its way */
void sockets_let_go(struct machine *m); /* what was held and is no longer goes on its way */
bool socket_serve(struct machine *m, const char *path); /* the machine itself answers there */
/* For a recording that is gone through: */
struct sockaddr_storage;
size_t socket_has(const struct file *f);            /* bytes, or those of the next datagram; AT_END: none will come */
#define AT_END SIZE_MAX
void socket_owe(struct file *f, size_t bytes);      /* read before they were sent */
bool socket_waits(const struct file *f, const struct sockaddr_storage *from); /* a connection from there, NULL: any, for accept */
long socket_accept(struct machine *m, struct task *t, struct file *f, const struct sockaddr_storage *from, int64_t flags);
bool socket_listens(struct machine *m, const struct sockaddr_storage *a); /* somebody, and takes connections */
bool socket_would_connect(struct machine *m, struct task *t, const void *address, size_t size); /* of unix(7); others are not looked at */
void socket_orphan(struct machine *m, struct file *f); /* connected to a listener that never accepted it */
void socket_named(struct file *f, const struct sockaddr_storage *local, size_t size); /* its own address */

/* ---- fault.c ---- */
uint32_t fault_node(struct machine *m, const char *name); /* its number, a new one for a new name; 0 for "" */
bool fault_is_cut(const struct machine *m, uint32_t a, uint32_t b);
bool fault_is_paused(const struct machine *m, const struct process *p);
bool fault_is_held(const struct machine *m, uint32_t a, uint32_t b);
size_t nodes_running(const struct machine *m, const char *name[MACHINE_NODES]);
void fault_clocks(struct machine *m, uint32_t node);
void fault_crash(struct machine *m, struct process *p); /* its node loses its power */
void fault_execute(struct machine *m, const char *line, char *answer, size_t size);
bool fault_can(const struct machine *m, const char *line); /* or would it be refused now? */

/* ---- ready.c: poll, select, epoll ---- */
long ready_answer(struct machine *m, struct task *t, bool *mine);
void ready_forget(struct machine *m, struct file *f); /* closed: out of all epoll sets */

/* ---- clock.c ---- */
long clock_answer(struct machine *m, struct task *t, bool *mine);
void clock_alarms(struct machine *m, struct process *p);

/* ---- who.c ---- */
long who_answer(struct machine *m, struct task *t, bool *mine);

/* ---- futex.c ---- */
long futex_answer(struct machine *m, struct task *t, bool *mine);
void futex_wake_word(struct machine *m, struct process *p, uint64_t word);

/* ---- disk.c: kernel AIO and what takes time ---- */
long disk_answer(struct machine *m, struct task *t, bool *mine);
void disk_set(struct machine *m, uint32_t node, const char *how, int64_t value); /* `drd fault disk` */
/* An operation that a followed process has begun: `obj` of the event is where its struct iocb is. */
struct io_event;
void disk_under_way(struct machine *m, struct process *p, uint64_t context, const struct io_event *event);
int disk_refuses(const struct machine *m, const struct task *t, bool grows);     /* errno of a write there now, 0: none */

#endif
