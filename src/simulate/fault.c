/* `drd fault` in the simulated world: the same words at the same socket, whose other end is the machine itself. */
#include "simulate/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool fault_is_paused(const struct machine *m, const struct process *p)
{
    return p->node && m->node[p->node].paused;
}

static void cuts_set(struct machine *m, const uint32_t *node, int count, bool on)
{
    if (!count) {
        memset(m->cut, 0, sizeof m->cut);
        memset(m->alone, 0, sizeof m->alone);
    }
    if (count == 1) {
        m->alone[node[0]] = on;
        for (uint32_t b = 0; b < MACHINE_NODES && !on; b++)
            m->cut[node[0]][b] = m->cut[b][node[0]] = false;
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            if (i != j)
                m->cut[node[i]][node[j]] = on;
    socket_cut(m);
    m->changes++;
}

static bool runs(const struct machine *m, uint32_t node)
{
    for (const struct process *p = m->processes; p; p = p->next)
        if (p->node == node && p->state == PROCESS_ALIVE)
            return true;
    return false;
}

static void node_kill(struct machine *m, uint32_t node)
{
    for (struct process *p = m->processes; p; p = p->next)
        if (p->node == node && p->state == PROCESS_ALIVE)
            process_end(m, p, SIGKILL);
}

static void known(const struct machine *m, char *text, size_t size)
{
    size_t used = 0;
    *text = 0;
    for (uint32_t i = 1; i < m->nodes && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 1 ? ", " : "", m->node[i].name);
}

/* As faults_execute of the recorder. The answer is a line. */
void fault_execute(struct machine *m, char *line, char *answer, size_t size)
{
    char *word[MACHINE_NODES], *rest = line, *one, names[600];
    uint32_t node[MACHINE_NODES];
    int count = 0;
    while (count < MACHINE_NODES && (one = strsep(&rest, " ")))
        if (*one)
            word[count++] = one;
    int named = count - 1;
    bool cut = count && !strcmp(word[0], "cut"), heal = count && !strcmp(word[0], "heal");
    bool kill = count && !strcmp(word[0], "kill"), pause = count && !strcmp(word[0], "pause"), resume = count && !strcmp(word[0], "resume");
    if (!cut && !heal && !kill && !pause && !resume) {
        snprintf(answer, size, "error 129 %s: not a fault; cut, heal, kill, pause and resume are\n", count ? word[0] : "nothing");
        return;
    }
    if (!heal && !named) {
        snprintf(answer, size, "error 129 %s takes the name of a node\n", word[0]);
        return;
    }
    for (int i = 0; i < named; i++) {
        node[i] = node_find(m, word[i + 1]);
        known(m, names, sizeof names);
        if (!node[i])
            snprintf(answer, size, "error 128 no node %.64s; known are %s\n", word[i + 1], names);
        else if ((kill || pause || resume) && !runs(m, node[i]))
            snprintf(answer, size, "error 128 node %.64s is not running\n", word[i + 1]);
        else
            continue;
        return;
    }
    if (m->options.note)
        m->options.note(m->options.note_context, count, word, machine_now(m));
    for (int i = 0; i < named; i++) {
        if (kill)
            node_kill(m, node[i]);
        if (pause || resume)
            m->node[node[i]].paused = pause;
    }
    if (cut || heal)
        cuts_set(m, node, named, cut);
    m->changes++;
    snprintf(answer, size, "ok\n");
}
