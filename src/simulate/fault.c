/* `drd fault` in the simulated world: the same words at the same socket, whose other end is the machine itself. */
#include "simulate/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/fault_words.h"

static uint32_t node_find(const struct machine *m, const char *name)
{
    for (uint32_t i = 1; i < m->nodes; i++)
        if (!strcmp(m->node[i].name, name))
            return i;
    return 0;
}

uint32_t fault_node(struct machine *m, const char *name)
{
    uint32_t at = *name ? node_find(m, name) : 0;
    if (at || !*name || m->nodes == MACHINE_NODES)
        return at;
    if (!m->nodes)
        m->nodes = 1; /* 0: those without a name */
    snprintf(m->node[m->nodes].name, sizeof m->node[0].name, "%s", name);
    return m->nodes++;
}

bool fault_is_cut(const struct machine *m, uint32_t a, uint32_t b)
{
    return a && b && a != b && (m->cut[a][b] || m->alone[a] || m->alone[b]);
}

/* Does what a sends not come to b? */
bool fault_is_held(const struct machine *m, uint32_t a, uint32_t b)
{
    return a && b && m->held[a][b];
}

bool fault_is_paused(const struct machine *m, const struct process *p)
{
    return p->rests || p->stopped || (p->node && m->node[p->node].paused);
}

static void cuts_set(struct machine *m, const uint32_t *node, int count, bool on)
{
    if (!count) {
        memset(m->cut, 0, sizeof m->cut);
        memset(m->alone, 0, sizeof m->alone);
        memset(m->held, 0, sizeof m->held);
    }
    if (count == 1) {
        m->alone[node[0]] = on;
        for (uint32_t b = 0; b < MACHINE_NODES && !on; b++)
            m->cut[node[0]][b] = m->cut[b][node[0]] = m->held[node[0]][b] = m->held[b][node[0]] = false;
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            if (i != j)
                m->cut[node[i]][node[j]] = on, m->held[node[i]][node[j]] &= on;
    socket_cut(m);
    sockets_let_go(m);
    m->changes++;
}

static bool runs(const struct machine *m, uint32_t node)
{
    for (const struct process *p = m->processes; p; p = p->next)
        if (p->node == node && p->state == PROCESS_ALIVE)
            return true;
    return false;
}

/* What the time of day of its processes is off by, for them to see. CLOCK_MONOTONIC is never set. */
void fault_clocks(struct machine *m, uint32_t node)
{
    for (struct process *p = m->processes; p; p = p->next)
        if (p->node == node && p->state == PROCESS_ALIVE)
            m->box->process[p->home].realtime = m->node[node].off;
}

size_t nodes_running(const struct machine *m, const char *name[MACHINE_NODES])
{
    size_t count = 0;
    for (uint32_t i = 1; i < m->nodes; i++)
        if (runs(m, i))
            name[count++] = m->node[i].name;
    return count;
}

static void node_kill(struct machine *m, uint32_t node)
{
    m->node[node].paused = false; /* who is started again is not stopped */
    for (struct process *p = m->processes; p; p = p->next)
        if (p->node == node && p->state == PROCESS_ALIVE)
            process_end(m, p, SIGKILL);
}

/* Power is lost: what runs there ends, and what was not made durable may be gone. */
static void node_crash(struct machine *m, uint32_t node)
{
    node_kill(m, node);
    tree_crash(m, node);
}

void fault_crash(struct machine *m, struct process *p)
{
    if (p->node)
        node_crash(m, p->node);
    else
        process_end(m, p, SIGKILL);
}

static void known(const struct machine *m, char *text, size_t size)
{
    size_t used = 0;
    *text = 0;
    for (uint32_t i = 1; i < m->nodes && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 1 ? ", " : "", m->node[i].name);
}

/* The numbers of the nodes that it names. False: the answer says why not. */
static bool nodes_find(const struct machine *m, const struct fault *f, uint32_t *node, char *answer, size_t size)
{
    char names[600];
    bool running = f->kind == FAULT_KILL || f->kind == FAULT_PAUSE || f->kind == FAULT_RESUME || f->kind == FAULT_CRASH;
    for (int i = 0; i < f->nodes; i++) {
        const char *name = f->word[i + 1];
        node[i] = node_find(m, name);
        known(m, names, sizeof names);
        if (!node[i])
            snprintf(answer, size, "error 128 no node %.64s; known are %s\n", name, names);
        else if (running && !runs(m, node[i]))
            snprintf(answer, size, "error 128 node %.64s is not running\n", name);
        else if (f->kind == FAULT_RESTART && runs(m, node[i]))
            snprintf(answer, size, "error 128 node %.64s is running\n", name);
        else if (f->kind == FAULT_RESTART && !m->node[node[i]].start)
            snprintf(answer, size, "error 128 node %.64s was not started by a program of this run\n", name);
        else
            continue;
        return false;
    }
    return true;
}

static void node_do(struct machine *m, const struct fault *f, uint32_t node)
{
    switch (f->kind) {
    case FAULT_KILL: node_kill(m, node); break;
    case FAULT_CRASH: node_crash(m, node); break;
    case FAULT_RESTART: process_restart(m, node); break;
    case FAULT_PAUSE: case FAULT_RESUME: m->node[node].paused = f->kind == FAULT_PAUSE; break;
    case FAULT_SKEW: m->node[node].off = f->value; fault_clocks(m, node); break;
    case FAULT_JUMP: m->node[node].off += f->value; fault_clocks(m, node); break;
    case FAULT_DISK: disk_set(m, node, f->word[2], f->value); break;
    default: break;
    }
}

static void fault_do(struct machine *m, const struct fault *f, const uint32_t *node)
{
    for (int i = 0; i < f->nodes; i++)
        node_do(m, f, node[i]);
    switch (f->kind) {
    case FAULT_CUT: case FAULT_HEAL: cuts_set(m, node, f->nodes, f->kind == FAULT_CUT); break;
    case FAULT_CUT_ONE_WAY: m->held[node[0]][node[1]] = true; sockets_hold(m, node[0], node[1]); break;
    case FAULT_RESET: sockets_reset(m, node[0], node[1]); break;
    case FAULT_LOSE: m->lose = (uint32_t)f->value; break;
    case FAULT_DUPLICATE: m->duplicate = (uint32_t)f->value; break;
    case FAULT_DELAY: m->network.least = (uint64_t)f->value; m->network.most = (uint64_t)f->most; break;
    case FAULT_LATE: m->network.late = (uint32_t)f->value; m->network.later = (uint64_t)f->most; break;
    default: break;
    }
    m->changes++;
}

/* As faults_execute of the recorder. The answer is a line. */
void fault_execute(struct machine *m, const char *line, char *answer, size_t size)
{
    struct fault f;
    struct drd_error e = {0};
    uint32_t node[FAULT_WORDS];
    if (!fault_read(&f, line, &e)) {
        snprintf(answer, size, "error %d %s\n", e.exit_code, e.message);
        return;
    }
    if (!nodes_find(m, &f, node, answer, size))
        return;
    if (m->options.note)
        m->options.note(m->options.note_context, f.count, f.word, machine_now(m));
    fault_do(m, &f, node);
    snprintf(answer, size, "ok\n");
}

bool fault_can(const struct machine *m, const char *line)
{
    struct fault f;
    struct drd_error e = {0};
    uint32_t node[FAULT_WORDS];
    char answer[800];
    return fault_read(&f, line, &e) && nodes_find(m, &f, node, answer, sizeof answer);
}
