#include "record/lane.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

bool lanes_init(struct lanes *l, struct store *store, struct spool *spool, struct drd_error *e)
{
    memset(l, 0, sizeof *l);
    l->store = store;
    l->spool = spool;
    l->buffer_size = LANE_CHUNK;
    l->buffer = malloc(l->buffer_size);
    return (l->buffer && lanes_extend(l, e)) || error_set(e, DRD_EXIT_CANNOT, "out of memory");
}

void lanes_fini(struct lanes *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->lane[i].pidfd >= 0)
            close(l->lane[i].pidfd);
        store_process_fini(&l->lane[i].row);
    }
    naming_fini(&l->naming);
    free(l->lane);
    free(l->buffer);
    memset(l, 0, sizeof *l);
}

bool lanes_extend(struct lanes *l, struct drd_error *e)
{
    uint32_t wanted = spool_count(l->spool);
    if (wanted > l->capacity) {
        uint32_t capacity = wanted < 64 ? 64 : 2 * wanted;
        struct lane *lane = realloc(l->lane, capacity * sizeof *lane);
        if (!lane)
            return error_set(e, DRD_EXIT_CANNOT, "out of memory");
        l->lane = lane;
        l->capacity = capacity;
    }
    for (; l->count < wanted; l->count++) {
        memset(&l->lane[l->count], 0, sizeof *l->lane);
        l->lane[l->count].pidfd = -1;
        l->lane[l->count].row.status = -1;
    }
    return true;
}

static void take_tell(struct lanes *l, uint32_t process);

/* ---- adopting ---- */

static const struct store_process *row_of(const struct lanes *l, uint32_t process)
{
    return process && process < l->count && l->lane[process].row.node ? &l->lane[process].row : NULL;
}

bool lane_adopt(struct lanes *l, uint32_t process, struct drd_error *e)
{
    struct lane *lane = &l->lane[process];
    const struct spool_process *slot = spool_slot(l->spool, process);
    char node[SPOOL_NAME + 1] = "", program[SPOOL_NAME + 1] = "";
    snprintf(node, sizeof node, "%.*s", SPOOL_NAME, slot->node < SPOOL_NODES ? l->spool->run->node[slot->node] : "");
    snprintf(program, sizeof program, "%.*s", SPOOL_NAME, slot->name);
    lane->row.number = process;
    lane->row.parent = slot->parent < process ? slot->parent : 0;
    lane->row.pid = (int)slot->pid;
    lane->row.start = slot->start;
    lane->row.exe = strdup(program); /* until the stream says the path */
    if (!lane->row.exe)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    if (process == 0) {
        lane->row.incarnation = 1;
        lane->row.node = strdup("drd");
    } else if (!naming_assign(&l->naming, &lane->row, node, program, row_of(l, lane->row.parent))) {
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    }
    take_tell(l, process);
    lane->phase = LANE_ACTIVE;
    lane->changed = true;
    return true;
}

/* ---- what the records say ---- */

static void take_string(const struct unpack *u, char **out)
{
    char *text = strndup((const char *)u->data, u->length);
    if (text) {
        free(*out);
        *out = text;
    }
}

static void note_start(struct lane *lane, const struct trace_event *event)
{
    struct unpack u;
    struct trace_bytes map = event->field_bytes[0];
    if (trace_map_find(map, "how", &u) && u.type == UNPACK_STR)
        lane->row.forked = u.length == 4 && !memcmp(u.data, "fork", 4);
    if (trace_map_find(map, "same_pid", &u))
        lane->row.same_pid = u.value;
    if (trace_map_find(map, "exe", &u) && u.type == UNPACK_STR)
        take_string(&u, &lane->row.exe);
    if (!lane->row.start)
        lane->row.start = event->time;
    lane->changed = true;
}

/* A parent's wait tells how a child ended that could not say so itself. Its stream may be read before the child is adopted:
 * then that is kept, the latest of them. */
static void note_wait(struct lanes *l, const struct trace_event *event)
{
    int32_t status;
    if (event->result <= 0 || event->output[1].length != sizeof status)
        return;
    memcpy(&status, event->output[1].data, sizeof status);
    if (!WIFEXITED(status) && !WIFSIGNALED(status))
        return;
    for (uint32_t i = l->count; i-- > 1;) {
        struct lane *lane = &l->lane[i];
        if (lane->row.pid == event->result && lane->row.node && spool_state(l->spool, i) != SPOOL_EXECED) {
            if (lane->row.status == -1)
                lane->changed = true, lane->row.status = status;
            return;
        }
    }
    l->told[l->tells++ % LANE_TELLS] = (struct lane_tell){ (int)event->result, status, event->time };
}

#define TELL_LATE 10000000u /* ns: times of a stream lag by its stamps, which come every 2 ms */

/* Was the end of this process told before it was adopted? What was told before it began is of another with its pid. */
static void take_tell(struct lanes *l, uint32_t process)
{
    struct lane *lane = &l->lane[process];
    for (size_t i = 0; i < LANE_TELLS; i++) {
        struct lane_tell *told = &l->told[i];
        if (told->pid != lane->row.pid || !told->pid || told->time + TELL_LATE < lane->row.start)
            continue;
        if (spool_state(l->spool, process) != SPOOL_EXECED)
            lane->row.status = told->status;
    }
}

static void note_event(struct lanes *l, struct lane *lane, const struct trace_event *event)
{
    if (event->code == TRACE_START)
        note_start(lane, event);
    else if (event->code == TRACE_END)
        lane->row.status = (int)(event->field[0] & 0xff) << 8;
    else if (event->code == SYS_wait4)
        note_wait(l, event);
    lane->row.end = event->time;
}

/* ---- draining ---- */

static bool reserve(struct lanes *l, size_t size, struct drd_error *e)
{
    if (size <= l->buffer_size)
        return true;
    uint8_t *buffer = realloc(l->buffer, size);
    if (!buffer)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory for a record of %zu bytes", size);
    l->buffer = buffer;
    l->buffer_size = size;
    return true;
}

/* Store the whole records among the first `length` bytes of the buffer. *used is 0 if there is none. */
static bool store_records(struct lanes *l, struct lane *lane, size_t length, size_t *used, struct drd_error *e)
{
    struct trace_state state = lane->state;
    struct trace_event event;
    const uint8_t *p = l->buffer, *next, *end = p + length;
    for (; p < end && (next = trace_decode(p, end, &state, &event)); p = next)
        note_event(l, lane, &event);
    *used = (size_t)(p - l->buffer);
    if (!*used)
        return true;
    uint64_t records = state.sequence - lane->state.sequence;
    if (!store_chunk_append(l->store, lane->row.number, &lane->state, l->buffer, *used, records, e))
        return false;
    lane->state = state;
    lane->offset += *used;
    l->drained += *used;
    lane->row.events += records;
    lane->row.bytes += *used;
    lane->changed = true;
    __atomic_store_n(&spool_slot(l->spool, lane->row.number)->drained, lane->offset, __ATOMIC_RELEASE);
    return true;
}

/* Give up on a stream that makes no sense, keeping what did. */
static void cut_off(struct lane *lane, const char *reason)
{
    if (!lane->row.incomplete_reason)
        lane->row.incomplete_reason = strdup(reason);
    lane->phase = LANE_DONE;
    lane->row.complete = false;
    lane->changed = true;
}

/* One chunk; a record larger than that makes a chunk of its own. */
static bool drain_chunk(struct lanes *l, struct lane *lane, uint64_t available, struct drd_error *e)
{
    size_t used = 0;
    for (uint64_t want = LANE_CHUNK;; want *= 2) {
        size_t length = available < want ? available : want;
        if (!reserve(l, length, e))
            return false;
        if (!spool_read(l->spool, lane->row.number, lane->offset, l->buffer, length, NULL)) {
            cut_off(lane, "a segment of its spool is missing");
            return true;
        }
        if (!store_records(l, lane, length, &used, e))
            return false;
        if (used)
            return true;
        if (length == available)
            break;
    }
    cut_off(lane, "its stream holds something that is no record");
    return true;
}

/* The record that a killed process was writing: header and the elements that are whole become a record without result. */
static bool drain_draft(struct lanes *l, struct lane *lane, uint64_t head, uint64_t length, struct drd_error *e)
{
    struct unpack u;
    struct trace_state state = lane->state;
    struct trace_event event;
    uint32_t count = 0;
    size_t used;
    if (length > SPOOL_SEGMENT * 64 || !reserve(l, length + PACK_MAX, e) ||
        !spool_read(l->spool, lane->row.number, head, l->buffer + PACK_MAX, length, NULL))
        return true; /* lost with its segment: nothing that had happened yet */
    const uint8_t *end = l->buffer + PACK_MAX + length, *first = unpack_next(l->buffer + PACK_MAX, end, &u);
    if (!first || u.type != UNPACK_ARRAY)
        return true;
    const uint8_t *p = first, *next;
    for (; count < u.count && p < end && (next = unpack_skip(p, end)); p = next)
        count++;
    uint8_t *start = pack_array_header(l->buffer, count);
    memmove(start, first, (size_t)(p - first));
    size_t size = (size_t)(start - l->buffer) + (size_t)(p - first);
    if (!count || trace_decode(l->buffer, l->buffer + size, &state, &event) != l->buffer + size)
        return true;
    lane->row.draft = size;
    return store_records(l, lane, size, &used, e);
}

bool lane_drain(struct lanes *l, uint32_t process, bool last, struct drd_error *e)
{
    struct lane *lane = &l->lane[process];
    uint64_t head = spool_head(l->spool, process);
    while (lane->phase == LANE_ACTIVE && head > lane->offset && (last || head - lane->offset >= LANE_CHUNK))
        if (!drain_chunk(l, lane, head - lane->offset, e))
            return false;
    return true;
}

static const char *reason_text(const struct spool_process *slot, char *out, size_t size)
{
    static const char *const text[] = {
        [SPOOL_REASON_NONE] = "recording ended", [SPOOL_REASON_NO_SPACE] = "no space left for the spool",
        [SPOOL_REASON_MAX_SIZE] = "--max-size was reached", [SPOOL_REASON_STOPPED] = "the recorder closed the run",
        [SPOOL_REASON_STATIC] = "statically linked", [SPOOL_REASON_SETUID] = "set-user-ID or set-group-ID",
        [SPOOL_REASON_FORMAT] = "not an x86-64 program",
        [SPOOL_REASON_STUCK] = "a thread kept the others from running for 10 s",
        [SPOOL_REASON_LATE_SIGNAL] = "a signal had to interrupt a long computation",
    };
    if (slot->reason == SPOOL_REASON_SYSTEM)
        snprintf(out, size, "a call that recording needs failed: %s", strerror(slot->status));
    else
        snprintf(out, size, "%s", slot->reason < sizeof text / sizeof *text ? text[slot->reason] : "unknown reason");
    return out;
}

bool lane_finish(struct lanes *l, uint32_t process, const char *reason, struct drd_error *e)
{
    struct lane *lane = &l->lane[process];
    const struct spool_process *slot = spool_slot(l->spool, process);
    char text[128];
    enum spool_state state = spool_state(l->spool, process); /* before the drain: what it says is then all there */
    if (!lane_drain(l, process, true, e))
        return false;
    bool killed = state == SPOOL_RUNNING && !reason && lane->phase == LANE_ACTIVE;
    if (killed && slot->draft && !drain_draft(l, lane, lane->offset, slot->draft, e))
        return false;
    if (state == SPOOL_INCOMPLETE)
        cut_off(lane, reason_text(slot, text, sizeof text));
    else if (reason)
        cut_off(lane, reason);
    else if (lane->phase == LANE_ACTIVE)
        lane->row.complete = true;
    lane->phase = LANE_DONE;
    lane->changed = true;
    if (lane->pidfd >= 0)
        close(lane->pidfd);
    lane->pidfd = -1;
    return true;
}

/* ---- commits ---- */

bool lanes_put_rows(struct lanes *l, struct drd_error *e)
{
    for (uint32_t i = 0; i < l->count; i++) {
        struct lane *lane = &l->lane[i];
        if (!lane->changed || !lane->row.node)
            continue;
        if (!store_process_put(l->store, &lane->row, e))
            return false;
        lane->changed = false;
    }
    return true;
}

void lanes_committed(struct lanes *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        struct lane *lane = &l->lane[i];
        uint64_t end = lane->offset / SPOOL_SEGMENT;
        if (lane->phase == LANE_DONE) /* also the last one, of which it may have used but a few bytes */
            end = (spool_head(l->spool, i) + spool_slot(l->spool, i)->draft) / SPOOL_SEGMENT + 1;
        if (lane->segment < end)
            spool_discard(l->spool, i, &lane->segment, end);
    }
}

/* A forked child runs its parent's program, whose path stands in the parent's stream. Parents come before children. */
static void inherit_exe(struct lanes *l)
{
    for (uint32_t i = 1; i < l->count; i++) {
        struct store_process *p = &l->lane[i].row;
        const struct store_process *parent = row_of(l, p->parent);
        char *exe = p->node && p->forked && parent ? strdup(parent->exe) : NULL;
        if (exe) {
            free(p->exe);
            p->exe = exe;
        }
    }
}

bool lanes_close(struct lanes *l, struct drd_error *e)
{
    inherit_exe(l);
    struct store_process **row = calloc(l->count + 1, sizeof *row);
    size_t count = 0;
    if (!row)
        return error_set(e, DRD_EXIT_CANNOT, "out of memory");
    for (uint32_t i = 0; i < l->count; i++)
        if (l->lane[i].row.node) {
            row[count++] = &l->lane[i].row;
            l->lane[i].changed = true;
        }
    naming_number_events(row, count);
    free(row);
    return lanes_put_rows(l, e);
}

uint64_t lanes_backlog(const struct lanes *l)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->lane[i].phase == LANE_ACTIVE)
            sum += spool_head(l->spool, i) - l->lane[i].offset;
    return sum;
}
