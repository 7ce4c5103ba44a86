#include "diff/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "diff/gather.h"

#define TEXTS_RECENT 16384

const char *const diff_kind_names[DIFF_KINDS] = {
    [DIFF_START] = "start", [DIFF_EXIT] = "exit", [DIFF_FAULT] = "fault", [DIFF_WRITE_FAILED] = "write-failed",
    [DIFF_RECOVERED] = "recovered", [DIFF_TERM] = "term", [DIFF_CANDIDATE] = "candidate", [DIFF_VOTE] = "vote",
    [DIFF_REFUSAL] = "refusal", [DIFF_LEADER] = "leader", [DIFF_FOLLOWER] = "follower", [DIFF_APPEND] = "append",
    [DIFF_TRUNCATE] = "truncate", [DIFF_SNAPSHOT] = "snapshot", [DIFF_MEMBERS] = "members", [DIFF_COMMIT] = "commit", [DIFF_APPLY] = "apply",
    [DIFF_REQUEST] = "request", [DIFF_RESULT] = "result", [DIFF_ACK] = "ack", [DIFF_SEND] = "send",
    [DIFF_MESSAGE] = "message",
};

/* --- processes and nodes --- */

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

size_t diff_run_node(const struct diff_run *r, const char *name)
{
    size_t i = 0;
    while (i < r->nodes && strncmp(r->node[i].name, name, RAFT_NODE_NAME - 1))
        i++;
    return i;
}

static bool node_add(struct diff_run *r, const struct store_process *p)
{
    size_t i = diff_run_node(r, p->node ? p->node : "");
    if (i == r->nodes && i < UINT16_MAX) {
        struct diff_node *n = &r->node[r->nodes++];
        *n = (struct diff_node){.role = -1};
        snprintf(n->name, sizeof n->name, "%s", p->node ? p->node : "");
        snprintf(n->program, sizeof n->program, "%s", base_name(p->exe));
        n->trigger.sequence = UINT64_MAX;
        n->trigger.peer = DIFF_NO_PEER;
        n->log = (struct spill)SPILL_INIT;
        pages_init(&n->sparse, sizeof(struct diff_entry));
    }
    r->node_of[p->number] = (uint16_t)i;
    return i < UINT16_MAX;
}

static int by_end(const void *a, const void *b, void *context)
{
    const struct store_process *process = context;
    uint64_t x = process[*(const uint32_t *)a].end, y = process[*(const uint32_t *)b].end;
    return x < y ? -1 : x > y;
}

static bool processes_init(struct diff_run *r)
{
    for (size_t i = 0; i < r->processes; i++) {
        if (r->process[i].number > r->highest)
            r->highest = r->process[i].number;
    }
    r->node = calloc(r->processes + 2, sizeof *r->node);
    r->node_of = malloc(((size_t)r->highest + 1) * sizeof *r->node_of);
    r->ends = malloc((r->processes + 1) * sizeof *r->ends);
    if (!r->node || !r->node_of || !r->ends || r->highest > 1u << 28)
        return false;
    memset(r->node_of, 0xff, ((size_t)r->highest + 1) * sizeof *r->node_of);
    r->begin = r->processes ? UINT64_MAX : 0;
    for (size_t i = 0; i < r->processes; i++) {
        r->ends[i] = (uint32_t)i;
        if (r->process[i].start < r->begin)
            r->begin = r->process[i].start;
        if (!node_add(r, &r->process[i]))
            return false;
    }
    r->outside = r->nodes++;
    r->node[r->outside] = (struct diff_node){.name = "the test", .raft = true, .log = SPILL_INIT};
    pages_init(&r->node[r->outside].sparse, sizeof(struct diff_entry));
    qsort_r(r->ends, r->processes, sizeof *r->ends, by_end, (void *)(uintptr_t)r->process);
    return true;
}

bool diff_run_init(struct diff_run *r, const struct store_process *process, size_t processes)
{
    *r = (struct diff_run){.process = process, .processes = processes, .all = SPILL_INIT, .texts = SPILL_INIT};
    r->text_recent = calloc(TEXTS_RECENT, sizeof *r->text_recent);
    if (r->text_recent && processes_init(r) && run_text(r, "", 0) == 0 && !r->out_of_memory)
        return true;
    diff_run_fini(r);
    return false;
}

void diff_run_fini(struct diff_run *r)
{
    for (size_t i = 0; i < r->nodes; i++) {
        spill_fini(&r->node[i].log);
        pages_fini(&r->node[i].sparse);
    }
    free(r->node);
    free(r->peer);
    spill_fini(&r->all);
    spill_fini(&r->texts);
    free(r->text_recent);
    free(r->node_of);
    free(r->ends);
    *r = (struct diff_run){0};
}

/* --- texts --- */

static bool texts_reserve(struct diff_run *r, size_t length)
{
    if (r->text_size + length + 1 >= UINT32_MAX || !spill_reserve(&r->texts, r->text_size + length + 1))
        return false;
    r->text = r->texts.base;
    return true;
}

uint32_t run_text(struct diff_run *r, const char *text, size_t length)
{
    if (!texts_reserve(r, length)) {
        r->out_of_memory = true;
        return 0;
    }
    if (!r->text_size)
        r->text[r->text_size++] = '\0';
    if (!length)
        return 0;
    uint32_t *recent = &r->text_recent[XXH3_64bits(text, length) % TEXTS_RECENT];
    const char *known = r->text + *recent;
    if (*recent && !strncmp(known, text, length) && !known[length])
        return *recent;
    uint32_t at = (uint32_t)r->text_size;
    if (!texts_reserve(r, length)) {
        r->out_of_memory = true;
        return 0;
    }
    memcpy(r->text + at, text, length);
    r->text[at + length] = '\0';
    r->text_size += length + 1;
    *recent = at;
    spill_pass(&r->texts, length + 1);
    return at;
}

const char *diff_run_text(const struct diff_run *r, const struct diff_event *event)
{
    return r->text ? r->text + event->text : "";
}

/* --- ids --- */

uint16_t run_peer(struct diff_run *r, const char *id)
{
    if (!*id)
        return DIFF_NO_PEER;
    for (size_t i = 0; i < r->peers; i++) {
        if (!strcmp(r->peer[i].id, id))
            return (uint16_t)i;
    }
    if (r->peers == 1024) /* ids come out of hostile bytes */
        return DIFF_NO_PEER;
    void *peer = realloc(r->peer, (r->peers + 1) * sizeof *r->peer);
    if (!peer) {
        r->out_of_memory = true;
        return DIFF_NO_PEER;
    }
    r->peer = peer;
    r->peer[r->peers].node = -1;
    snprintf(r->peer[r->peers].id, sizeof r->peer->id, "%s", id);
    return (uint16_t)r->peers++;
}

const char *diff_run_peer(const struct diff_run *r, uint16_t peer)
{
    if (peer >= r->peers)
        return "";
    return r->peer[peer].node >= 0 ? r->node[r->peer[peer].node].name : r->peer[peer].id;
}

/* --- events --- */

struct diff_event *run_emit(struct diff_run *r, size_t node, enum diff_kind kind, uint32_t process, uint64_t sequence,
                            uint64_t time)
{
    static struct diff_event spare;
    const struct diff_node *n = &r->node[node];
    if (r->events >= UINT32_MAX - 1 || !spill_reserve(&r->all, (r->events + 1) * sizeof *r->event)) {
        r->out_of_memory = true;
        return &spare;
    }
    r->event = r->all.base;
    spill_pass(&r->all, sizeof *r->event);
    struct diff_event *event = &r->event[r->events++];
    uint64_t tenths = time > r->begin ? (time - r->begin) / 100000 : 0;
    *event = (struct diff_event){
        .sequence = sequence, .process = process, .time = tenths < UINT32_MAX ? (uint32_t)tenths : UINT32_MAX,
        .node = (uint16_t)node, .kind = (uint8_t)kind, .peer = DIFF_NO_PEER, .trigger = n->trigger.sequence,
        .trigger_term = n->trigger.term, .trigger_peer = n->trigger.peer, .trigger_type = n->trigger.type,
    };
    return event;
}

void diff_run_event_name(const struct diff_run *r, uint32_t process, uint64_t sequence, char *out, size_t size)
{
    for (size_t i = 0; i < r->processes; i++) {
        if (r->process[i].number == process) {
            event_name(&r->process[i], sequence, out, size);
            return;
        }
    }
    snprintf(out, size, "%" PRIu32 "@%" PRIu64, process, sequence);
}

/* --- logs --- */

#define LOG_AHEAD 65536 /* an index so far beyond what there is room for lies in the array */

struct diff_entry *run_log_find(struct diff_node *n, uint64_t index)
{
    struct diff_entry *entry = index < n->log.capacity / sizeof *entry ? (struct diff_entry *)n->log.base + index : NULL;
    if (entry && (entry->event || !n->sparse.capacity))
        return entry;
    struct diff_entry *far = pages_find(&n->sparse, index); /* it was far before others came */
    return far ? far : entry;
}

struct diff_entry *run_log_make(struct diff_node *n, uint64_t index)
{
    size_t room = n->log.capacity / sizeof(struct diff_entry);
    if (index >= room && index < room + LOG_AHEAD && !pages_find(&n->sparse, index) &&
        !spill_reserve(&n->log, (index + 1) * sizeof(struct diff_entry)))
        return NULL;
    spill_pass(&n->log, sizeof(struct diff_entry));
    struct diff_entry *entry = run_log_find(n, index);
    return entry ? entry : pages_make(&n->sparse, index);
}

const struct diff_event *diff_run_entry(struct diff_run *r, size_t node, uint64_t index)
{
    struct diff_node *n = &r->node[node];
    struct diff_entry *entry = index <= n->last ? run_log_find(n, index) : NULL;
    return entry && entry->event ? &r->event[entry->event - 1] : NULL;
}

static void feed(void *context, const struct raft_fact *fact)
{
    diff_run_fact(context, fact);
}

void diff_run_drop(const struct diff_run *r)
{
    spill_drop(&r->all);
    spill_drop(&r->texts);
    for (size_t i = 0; i < r->nodes; i++)
        spill_drop(&r->node[i].log);
}

bool diff_run_read(struct diff_run *r, struct store *s, const struct store_process *process, size_t processes,
                   struct drd_error *e)
{
    if (!diff_run_init(r, process, processes))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (!protocol_walk(s, feed, r, e)) {
        diff_run_fini(r);
        return false;
    }
    diff_run_finish(r);
    if (r->out_of_memory) {
        diff_run_fini(r);
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    }
    return true;
}
