/* How programs are started, so that `drd fault restart` can start a node's again: the same file, arguments, environment, directory and
 * standard descriptors. */
#include "simulate/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "record/launch.h"

#define WORDS_MOST 4096

struct start {
    char *program;
    char **argv, **environment;
    struct inode *directory;
    struct file *file[3]; /* standard descriptors; NULL: closed, or nothing that can be had twice */
    uint32_t pid; /* had before: a script that keeps it finds the node there again */
    bool wanted;
};

static void words_free(char **word)
{
    for (char **w = word; w && *w; w++)
        free(*w);
    free(word);
}

/* An array of texts in the asking process. */
static char **words_get(struct machine *m, const struct task *t, int64_t address)
{
    char **word = calloc(WORDS_MOST + 1, sizeof *word);
    int64_t at;
    if (!word)
        abort();
    for (size_t n = 0; address && n < WORDS_MOST && user_get(m, t, &at, address + (int64_t)n * 8, 8) && at; n++) {
        char *text = user_copy(m, t, at);
        if (!text)
            break;
        word[n] = text;
    }
    return word;
}

static bool can_be_had_twice(const struct file *f)
{
    return f && (f->kind == &file_regular || f->kind == &file_console);
}

/* As the kernel does it with scripts, execve(2): the interpreter, its argument, the script, and what followed the first word. */
static char **words_of_script(char **word, const struct script *s)
{
    size_t n = 0, at = 0;
    while (word[n])
        n++;
    char **all = calloc(n + 4, sizeof *all);
    if (!all)
        abort();
    all[at++] = strdup(s->interpreter);
    if (*s->argument)
        all[at++] = strdup(s->argument);
    all[at++] = strdup(s->path);
    for (size_t i = 1; i < n; i++)
        all[at++] = word[i];
    if (n)
        free(word[0]);
    free(word);
    return all;
}

void start_note(struct machine *m, const struct task *t, const char *program, const struct script *script)
{
    struct process *p = t->process;
    struct start *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->program = strdup(program);
    s->argv = words_get(m, t, t->arg[3]);
    if (*script->interpreter)
        s->argv = words_of_script(s->argv, script);
    s->environment = words_get(m, t, t->arg[4]);
    s->directory = p->directory;
    for (int fd = 0; fd < 3; fd++)
        if (can_be_had_twice(p->descriptors->at[fd].file)) {
            s->file[fd] = p->descriptors->at[fd].file;
            s->file[fd]->references++;
        }
    start_destroy(m, p->start);
    p->start = s;
}

void start_destroy(struct machine *m, struct start *s)
{
    if (!s)
        return;
    for (int fd = 0; fd < 3; fd++)
        file_release(m, s->file[fd]);
    words_free(s->argv);
    words_free(s->environment);
    free(s->program);
    free(s);
}

static bool node_runs_another(const struct machine *m, const struct process *p)
{
    for (const struct process *o = m->processes; o; o = o->next)
        if (o != p && o->node == p->node && o->state == PROCESS_ALIVE)
            return true;
    return false;
}

/* The first program of a node is the one that a restart starts. */
void start_take(struct machine *m, struct process *p)
{
    struct start *s = p->start;
    p->start = NULL;
    if (!s)
        return;
    if (!p->node || (m->node[p->node].start && node_runs_another(m, p))) {
        start_destroy(m, s);
        return;
    }
    start_destroy(m, m->node[p->node].start);
    s->pid = p->pid;
    m->node[p->node].start = s;
}

void process_restart(struct machine *m, uint32_t node)
{
    m->node[node].start->wanted = true;
}

static void standard_open(struct process *p, const struct start *s)
{
    for (int fd = 0; fd < 3; fd++) {
        struct file *f = s->file[fd];
        if (f)
            f->references++;
        else
            f = console_create(-1, fd ? O_WRONLY : O_RDONLY);
        p->descriptors->at[fd].file = f;
        p->descriptors->at[fd].close_on_exec = false;
    }
}

static void start_again(struct machine *m, uint32_t node, struct start *s)
{
    struct drd_error e = {0};
    struct launch launch = {.path = s->program, .argv = s->argv, .environment = s->environment, .output = -1, .error = -1,
                            .directory = m->directory};
    bool randomized;
    struct process *p = process_create(m, NULL);
    if (!machine_process(m, s->pid))
        p->pid = p->group = p->session = s->pid;
    struct task *t = machine_task(m, p, TASK_STARTING);
    sigemptyset(&launch.mask);
    p->home = t->mail;
    p->node = node;
    p->directory = s->directory;
    p->launched = true;
    process_program(p, s->program);
    t->tid = p->pid;
    standard_open(p, s);
    p->real = launch_start(&launch, &randomized, &e);
    if (p->real < 0) {
        p->real = 0;
        p->died = true;
        if (m->options.warn)
            m->options.warn(e.message);
        process_end(m, p, 127 << 8);
        return;
    }
    __atomic_store_n(&task_mail(m, t)->pid, (uint32_t)p->real, __ATOMIC_RELEASE);
}

bool restart_next(struct machine *m)
{
    for (uint32_t i = 1; i < m->nodes; i++) {
        struct start *s = m->node[i].start;
        if (!s || !s->wanted)
            continue;
        s->wanted = false;
        start_again(m, i, s);
        return true;
    }
    return false;
}
