/* Files that the world makes up, so that nothing of this machine is to be seen: /dev, /proc, /sys. proc(5) */
#include "simulate/tree.h"

#include <stdio.h>
#include <string.h>

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

/* The state letter of a thread, or of a process by its first. */
static char state_letter(const struct machine *m, const struct process *p, unsigned tid)
{
    if (p->state == PROCESS_ZOMBIE)
        return 'Z';
    if (p->stopped)
        return 'T';
    for (const struct task *t = m->tasks; t; t = t->next)
        if (t->process == p && t->tid == tid)
            return t->state == TASK_WAITING || t->state == TASK_PARENT ? 'S' : 'R';
    return 'S';
}

/* /proc/PID/stat, /proc/PID/task/TID/stat, /proc/PID/comm: how a process is, in proc(5)'s words. NULL: no such process or file. */
struct inode *process_file(struct machine *m, const struct process *asks, const char *path)
{
    unsigned pid = asks->pid, tid = 0;
    int n = 0;
    char what[16] = "", text[200];
    if (sscanf(path, "/proc/%u/%n", &pid, &n) != 1 && strncmp(path, "/proc/self/", n = 11))
        return NULL;
    const struct process *p = machine_process(m, pid);
    if (sscanf(path + n, "task/%u/%15s", &tid, what) != 2)
        snprintf(what, sizeof what, "%s", path + n);
    if (!p || !n)
        return NULL;
    if (!strcmp(what, "comm"))
        snprintf(text, sizeof text, "%s\n", p->name);
    else if (!strcmp(what, "stat"))
        snprintf(text, sizeof text, "%u (%s) %c %u %u %u 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 10485760 2560\n", tid ? tid : pid, p->name,
                 state_letter(m, p, tid ? tid : pid), p->parent, p->group, p->session);
    else
        return NULL;
    struct inode *i = inode_create(m, S_IFREG | 0444);
    i->links = 0;
    content_write(m, i, (const uint8_t *)text, strlen(text), 0);
    return i;
}
