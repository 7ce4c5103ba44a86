/* execve(2) in the world: which file of the host is started, and the first words of the new program. */
#include "simulate/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/launch.h"

#define NESTED_MOST 4 /* interpreters of interpreters: execve(2) */
#define LINE_MOST 256 /* of "#!", what is read */

/* It is this program from now on. */
void process_program(struct process *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *copy = strdup(path);
    snprintf(p->name, sizeof p->name, "%s", slash ? slash + 1 : path);
    free(p->program);
    p->program = copy;
}

/* The words behind "#!": the interpreter and what may follow it. False: no script. */
static bool script_line(char *line, struct script *s)
{
    char *end = line + strcspn(line, "\n"), *at = line + 2 + strspn(line + 2, " \t");
    if (line[0] != '#' || line[1] != '!')
        return false;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
    size_t length = strcspn(at, " \t");
    snprintf(s->argument, sizeof s->argument, "%s", at + length + strspn(at + length, " \t"));
    at[length] = 0;
    snprintf(s->interpreter, sizeof s->interpreter, "%s", at);
    return *at;
}

/* Why the shim would not be loaded into it, or into what interprets it; NULL: it would. */
static const char *cannot_run(const char *host)
{
    char path[PATH_MAX], line[LINE_MOST + 1];
    struct script s;
    snprintf(path, sizeof path, "%s", host);
    for (int nested = 0; nested < NESTED_MOST; nested++) {
        const char *why = launch_unrecordable(path);
        int fd = why ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, line, LINE_MOST);
        if (fd >= 0)
            close(fd);
        line[n > 0 ? n : 0] = 0;
        if (why || !script_line(line, &s))
            return why;
        snprintf(path, sizeof path, "%s", s.interpreter);
    }
    return NULL;
}

/* A node that runs for real would act on this machine: that ends the world. */
static long exec_impossible(struct machine *m, const char *host, const char *why)
{
    const char *slash = strrchr(host, '/');
    if (!m->failure.exit_code)
        error_set(&m->failure, DRD_EXIT_CANNOT, "%.80s cannot be simulated: %s", slash ? slash + 1 : host, why);
    return -ENOEXEC;
}

/* A file that was made in this world: a script's interpreter can be started, a program has no file for the kernel to start. */
static long made_here(struct machine *m, const struct process *p, struct inode *file, struct script *s, const char **host)
{
    char line[LINE_MOST + 1], text[200];
    struct inode *interpreter;
    size_t n = tree_peek(file, line, LINE_MOST);
    line[n] = 0;
    if (n > 4 && !memcmp(line, "\177ELF", 4) && m->options.warn) {
        snprintf(text, sizeof text, "%.100s was made by the run itself: a program, unlike a script, cannot be started then", tree_path(m, file));
        m->options.warn(text);
    }
    if (!script_line(line, s))
        return -ENOEXEC;
    long error = tree_find(m, p, AT_FDCWD, s->interpreter, true, &interpreter);
    if (error)
        return error;
    return (*host = tree_host(interpreter)) ? 0 : -ENOEXEC;
}

/* The file that execve or execveat names. */
static long exec_find(struct machine *m, const struct task *t, const char *path, struct inode **file)
{
    const struct file *f = file_of(t, t->arg[0]);
    if (!path)
        return -EFAULT;
    if (!*path && t->arg[2] & AT_EMPTY_PATH)
        return f && f->inode ? (*file = f->inode, 0) : -EBADF;
    return tree_find(m, t->process, t->arg[0], path, true, file);
}

/* For the shim: what to start, and of a script how: its interpreter's argument and its own name. */
static void exec_tell(struct machine *m, struct task *t, const char *host, const struct script *s)
{
    struct mail *mail = task_mail(m, t);
    size_t at = (size_t)snprintf(mail->text, sizeof mail->text, "%.2000s", host) + 1;
    mail->number = *s->interpreter != 0;
    if (!mail->number)
        return;
    at += (size_t)snprintf(mail->text + at, sizeof mail->text - at, "%s", s->interpreter) + 1;
    at += (size_t)snprintf(mail->text + at, sizeof mail->text - at, "%s", s->argument) + 1;
    snprintf(mail->text + at, sizeof mail->text - at, "%s", s->path);
}

static long exec_begin(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    struct inode *file;
    struct script s = {0};
    struct mail *mail = task_mail(m, t);
    const char *path = user_text(m, t, t->arg[1], 0), *host, *why;
    long error = exec_find(m, t, path, &file);
    if (error)
        return error;
    snprintf(s.path, sizeof s.path, "%s", *path == '/' || (int32_t)t->arg[0] == AT_FDCWD ? path : tree_path(m, file));
    if (!tree_executable(file))
        return -EACCES;
    if (!(host = tree_host(file)) && (error = made_here(m, p, file, &s, &host)))
        return error;
    if (access(host, X_OK))
        return -EACCES;
    if ((why = cannot_run(host)))
        return exec_impossible(m, host, why);
    struct task *next = machine_task(m, p, TASK_STARTING);
    next->was = t;
    t->becomes = next;
    next->tid = p->pid;
    next->blocked = t->blocked;
    next->result = 0;
    p->real = (pid_t)mail->number;
    start_note(m, t, host, &s);
    process_program(p, host);
    task_mail(m, next)->pid = mail->number;
    exec_tell(m, t, host, &s);
    /* answered here: whoever asks next is the new program, or the old one if the kernel would not */
    mail->result = 0;
    mail->signal = 0;
    __atomic_store_n(&mail->state, MAIL_RUNS, __ATOMIC_RELEASE);
    syscall(SYS_futex, &mail->state, 1, 1, NULL, NULL, 0);
    t->state = TASK_STARTING;
    return ANSWER_WAIT;
}

static long exec_failed(struct machine *m, struct task *t)
{
    struct task *next = t->becomes;
    if (next) {
        task_mail(m, next)->state = MAIL_FREE;
        task_destroy(m, next);
    }
    return 0;
}

/* The new program is there: the threads of the old one are not. */
static long program_attach(struct machine *m, struct task *t)
{
    struct process *p = t->process;
    struct chance c;
    uint64_t random[2];
    signals_exec(m, p, t);
    for (struct task *old = m->tasks, *next; old; old = next) {
        next = old->next;
        if (old->process != p || old == t)
            continue;
        if (old->vfork_parent)
            old->vfork_parent->state = TASK_STARTING; /* asks MAIL_VFORKED */
        else
            task_mail(m, old)->state = MAIL_FREE;
        task_destroy(m, old);
    }
    p->node = fault_node(m, task_mail(m, t)->text);
    chance_named(m, &p->numbers, CHANCE_NUMBERS, process_who(m, p), p->name);
    chance_named(m, &p->disk, CHANCE_DISK, process_who(m, p), p->name);
    chance_named(m, &c, CHANCE_START, process_who(m, p), p->name);
    for (size_t i = 0; i < sizeof random / sizeof *random; i++)
        random[i] = chance_next(&c);
    start_take(m, p);
    memcpy(task_mail(m, t)->text, random, sizeof random);
    if (p->home != t->mail)
        descriptors_exec(m, p);
    p->home = t->mail;
    signals_exec(m, p, t);
    m->box->process[p->home].realtime = m->node[p->node].off;
    return p->pid;
}

long exec_answer(struct machine *m, struct task *t)
{
    return t->nr == MAIL_ATTACH ? program_attach(m, t) : t->nr == MAIL_EXEC ? exec_begin(m, t) : exec_failed(m, t);
}
