#include "record/faults.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trace/msgpack.h"

/* ---- the recorder's own stream ---- */

static uint64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
    size_t length = strlen(text);
    p = pack_str_header(p, (uint32_t)length);
    memcpy(p, text, length);
    return p + length;
}

static bool append(struct faults *f, const uint8_t *data, const uint8_t *end, uint64_t records, struct drd_error *e)
{
    if (!spool_append(f->lanes->spool, 0, data, (size_t)(end - data), e))
        return false;
    spool_slot(f->lanes->spool, 0)->events += records;
    return true;
}

static bool start_stream(struct faults *f, uint64_t began, struct drd_error *e)
{
    uint8_t record[256], *p = record;
    struct spool_process *slot = spool_slot(f->lanes->spool, 0);
    if (f->started)
        return true;
    slot->pid = (uint32_t)getpid();
    slot->start = f->stamp = began ? began : now(CLOCK_MONOTONIC);
    snprintf(slot->name, sizeof slot->name, "drd");
    p = pack_map_header(pack_int(pack_array_header(p, 2), TRACE_START), 5);
    p = put_text(put_text(p, "how"), "recorder");
    p = pack_int(put_text(p, "parent"), 0);
    p = pack_int(put_text(p, "pid"), began ? 1 : getpid());
    p = pack_uint(put_text(p, "monotonic"), slot->start);
    p = pack_uint(put_text(p, "realtime"), began ? began : now(CLOCK_REALTIME));
    if (!append(f, record, p, 1, e))
        return false;
    __atomic_store_n(&slot->state, SPOOL_RUNNING, __ATOMIC_RELEASE);
    f->started = true;
    return f->lanes->lane[0].phase != LANE_WAITING || lane_adopt(f->lanes, 0, e);
}

bool faults_note(struct faults *f, int count, char **word, uint64_t at, struct drd_error *e)
{
    uint8_t record[2048], *p = record;
    char names[1024] = "";
    size_t used = 0;
    for (int i = 1; i < count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 1 ? " " : "", word[i]);
    if (!start_stream(f, at, e))
        return false;
    uint64_t time = at ? at : now(CLOCK_MONOTONIC);
    p = pack_uint(pack_int(pack_array_header(p, 2), TRACE_TIME), time - f->stamp);
    f->stamp = time;
    p = put_text(pack_int(pack_array_header(p, 4), TRACE_FAULT), word[0]);
    p = put_text(pack_int(p, -1), names);
    return append(f, record, p, 2, e);
}

/* ---- who is meant ---- */

static bool unknown_node(const struct spool *s, const char *name, struct drd_error *e)
{
    char known[300] = "";
    size_t used = 0;
    for (uint32_t i = 1; i < spool_node_count(s) && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%.*s", i > 1 ? ", " : "", SPOOL_NAME, s->run->node[i]);
    return error_set(e, DRD_EXIT_FATAL, "no node %.64s; %s%s", name, *known ? "known are " : "no process has a DRD_NODE yet", known);
}

static void set_bit(uint64_t *bits, uint32_t bit, bool on)
{
    if (on)
        __atomic_or_fetch(&bits[bit / 64], 1ull << bit % 64, __ATOMIC_RELAXED);
    else
        __atomic_and_fetch(&bits[bit / 64], ~(1ull << bit % 64), __ATOMIC_RELAXED);
}

static bool get_bit(const uint64_t *bits, uint32_t bit)
{
    return bits[bit / 64] >> bit % 64 & 1;
}

/* The drain runs behind the nodes: on a busy machine a process may be there that it has not come to. */
static bool alive(const struct faults *f, uint32_t process)
{
    const struct lanes *l = f->lanes;
    enum lane_phase phase = process < l->count ? l->lane[process].phase : LANE_WAITING;
    return (phase == LANE_ACTIVE || phase == LANE_WAITING) && spool_state(l->spool, process) == SPOOL_RUNNING &&
           spool_slot(l->spool, process)->pid;
}

/* Call `act` for every living process of the nodes in `nodes`. Returns how many there were. */
static unsigned for_each(const struct faults *f, const uint64_t *nodes, int (*act)(pid_t pid, int signo), int signo)
{
    unsigned count = 0;
    for (uint32_t i = 1; i < spool_count(f->lanes->spool); i++) {
        const struct spool_process *slot = spool_slot(f->lanes->spool, i);
        if (alive(f, i) && slot->node < SPOOL_NODES && get_bit(nodes, slot->node) && act((pid_t)slot->pid, signo) == 0)
            count++;
    }
    return count;
}

static int kick(pid_t pid, int signo)
{
    return sigqueue(pid, signo, (union sigval){.sival_int = SPOOL_KICK});
}

/* ---- cut and heal ---- */

static void set_pair(struct spool_run *run, uint32_t a, uint32_t b, bool on)
{
    if (a == b)
        return;
    set_bit(run->cut[a], b, on);
    set_bit(run->cut[b], a, on);
}

/* One node from all others, also from nodes that come later; but not from programs without DRD_NODE: clients go on. */
static void set_alone(struct spool_run *run, uint32_t a, bool on)
{
    for (uint32_t b = 1; b < SPOOL_NODES; b++)
        set_pair(run, a, b, on);
}

static void edit_cuts(struct spool_run *run, const uint32_t *node, int count, bool on)
{
    if (count == 0)
        for (uint32_t a = 0; a < SPOOL_NODES; a++)
            for (uint32_t i = 0; i < SPOOL_NODES / 64; i++)
                __atomic_store_n(&run->cut[a][i], 0, __ATOMIC_RELAXED);
    else if (count == 1)
        set_alone(run, node[0], on);
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            set_pair(run, node[i], node[j], on);
}

static void change_cuts(struct faults *f, const uint32_t *node, int count, bool on, struct fault_wait *wait)
{
    struct spool_run *run = f->lanes->spool->run;
    edit_cuts(run, node, count, on);
    wait->generation = __atomic_add_fetch(&run->cut_generation, 1, __ATOMIC_RELEASE);
    memset(wait->affected, count > 1 ? 0 : 0xff, sizeof wait->affected);
    for (int i = 0; i < count; i++)
        set_bit(wait->affected, node[i], true);
    set_bit(wait->affected, 0, false);
    for_each(f, wait->affected, kick, SIGURG);
}

bool faults_settled(const struct faults *f, const struct fault_wait *wait)
{
    for (uint32_t i = 1; (wait->generation || wait->gone) && i < spool_count(f->lanes->spool); i++) {
        const struct spool_process *slot = spool_slot(f->lanes->spool, i);
        if (!alive(f, i) || slot->node >= SPOOL_NODES || !get_bit(wait->affected, slot->node))
            continue;
        if (wait->gone)
            return false;
        if (f->paused[slot->node])
            continue;
        uint32_t seen = __atomic_load_n(&slot->cut_seen, __ATOMIC_ACQUIRE);
        if ((int32_t)(seen - wait->generation) < 0 && kill((pid_t)slot->pid, 0) == 0)
            return false;
    }
    return true;
}

/* ---- signals ---- */

static bool all_running(const struct faults *f, const uint32_t *node, int count, char **word, struct drd_error *e)
{
    for (int i = 0; i < count; i++) {
        uint64_t one[SPOOL_NODES / 64] = {0};
        set_bit(one, node[i], true);
        if (!for_each(f, one, kill, 0))
            return error_set(e, DRD_EXIT_FATAL, "node %.64s is not running", word[i + 1]);
    }
    return true;
}

static void signal_nodes(struct faults *f, const uint32_t *node, int count, int signo, struct fault_wait *wait)
{
    for (int i = 0; i < count; i++) {
        set_bit(wait->affected, node[i], true);
        f->paused[node[i]] = signo == SIGSTOP;
    }
    for_each(f, wait->affected, kill, signo);
    wait->gone = signo == SIGKILL; /* whoever starts the node again finds its ports and locks free */
}

static int signal_of(const char *word)
{
    return !strcmp(word, "kill") ? SIGKILL : !strcmp(word, "pause") ? SIGSTOP : !strcmp(word, "resume") ? SIGCONT : 0;
}

bool faults_execute(struct faults *f, int count, char **word, struct fault_wait *wait, struct drd_error *e)
{
    uint32_t node[SPOOL_NODES];
    int names = count - 1, signo = count ? signal_of(word[0]) : 0;
    bool cut = count && !strcmp(word[0], "cut"), heal = count && !strcmp(word[0], "heal");
    memset(wait, 0, sizeof *wait);
    if (!cut && !heal && !signo)
        return error_set(e, DRD_EXIT_USAGE, "%s: not a fault; cut, heal, kill, pause and resume are", count ? word[0] : "nothing");
    if (names >= SPOOL_NODES || (!heal && !names))
        return error_set(e, DRD_EXIT_USAGE, "%s takes the name of a node", word[0]);
    for (int i = 0; i < names; i++)
        if (!(node[i] = spool_node(f->lanes->spool, word[i + 1])))
            return unknown_node(f->lanes->spool, word[i + 1], e);
    if ((signo && !all_running(f, node, names, word, e)) || !faults_note(f, count, word, 0, e))
        return false;
    if (signo)
        signal_nodes(f, node, names, signo, wait);
    else
        change_cuts(f, node, names, cut, wait);
    return true;
}
