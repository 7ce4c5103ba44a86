#include "record/repair.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One that ended and that nobody waits for, as in a container without an init, has ended: its pidfd says so. */
static bool pid_alive(const struct lanes *l, uint32_t process)
{
    int pid = l->lane[process].row.pid;
    struct pollfd watch = {.fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1, .events = POLLIN};
    if (watch.fd < 0)
        return pid > 0 && errno != ESRCH && (kill(pid, 0) == 0 || errno != ESRCH);
    poll(&watch, 1, 0);
    close(watch.fd);
    return !(watch.revents & POLLIN);
}

/* Decoding goes on where the last stored piece ends. */
static bool resume_state(struct lanes *l, struct lane *lane, struct drd_error *e)
{
    struct trace_event event;
    struct stream *st = stream_open(l->store, lane->row.number, e);
    if (!st)
        return false;
    bool ok = stream_seek(st, lane->row.events - 1, e) == 1 && stream_next(st, &event, e) == 1;
    if (ok)
        lane->state = *stream_state(st);
    stream_close(st);
    return ok;
}

/* Put a lane where the last commit left it. Its row becomes the lane's. */
static bool resume_lane(struct lanes *l, struct store_process *row, struct drd_error *e)
{
    if (row->number >= l->count)
        return error_set(e, DRD_EXIT_CANNOT, "%s: has more processes than its spool", store_path(l->store));
    struct lane *lane = &l->lane[row->number];
    if (!lane_adopt(l, row->number, e)) /* also counts its name */
        return false;
    store_process_fini(&lane->row);
    lane->row = *row;
    memset(row, 0, sizeof *row);
    lane->offset = lane->row.bytes - lane->row.draft;
    lane->segment = lane->offset / SPOOL_SEGMENT;
    if (lane->row.complete || lane->row.incomplete_reason)
        lane->phase = LANE_DONE;
    return !lane->row.events || resume_state(l, lane, e);
}

static bool resume(struct lanes *l, struct drd_error *e)
{
    struct store_process *list;
    size_t count;
    if (!store_processes(l->store, &list, &count, e))
        return false;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        ok = ok && resume_lane(l, &list[i], e);
        store_process_fini(&list[i]);
    }
    free(list);
    return ok;
}

static bool repair_from_spool(struct store *s, struct spool *spool, struct repair_report *report, struct drd_error *e)
{
    struct lanes lanes;
    bool ok = lanes_init(&lanes, s, spool, e) && resume(&lanes, e) && store_begin(s, e) &&
              finish_run(&lanes, pid_alive, "it went on after its recorder was killed", &report->summary, e) && store_commit(s, e);
    report->recovered = lanes.drained;
    lanes_fini(&lanes);
    return ok;
}

/* The spool is lost (the machine was restarted): what the run file holds is all there is. */
static bool repair_without_spool(struct store *s, struct repair_report *report, struct drd_error *e)
{
    static const char why[] = "the recorder was killed and its spool is gone";
    struct store_process *list;
    size_t count;
    if (!store_processes(s, &list, &count, e) || !store_begin(s, e))
        return false;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        if (ok && !list[i].complete && !list[i].incomplete_reason) {
            list[i].incomplete_reason = strdup(why);
            ok = store_process_put(s, &list[i], e);
        }
        report->summary.events += list[i].events;
        report->summary.processes++;
        store_process_fini(&list[i]);
    }
    free(list);
    return ok && store_fact_set(s, "incomplete", why, e) && store_fact_set(s, "state", "incomplete", e) &&
           finish_fact_time(s, "repaired", e) && store_commit(s, e);
}

static bool repair_open(struct store *s, const char *dir, struct repair_report *report, struct drd_error *e)
{
    struct spool spool;
    struct drd_error why = {0};
    if (*dir && spool_open(&spool, dir, &why)) {
        report->spool_found = true;
        bool ok = repair_from_spool(s, &spool, report, e);
        if (ok)
            spool_remove(&spool);
        else
            spool_close(&spool);
        return ok;
    }
    if (*dir && errno != ENOENT) {
        *e = why;
        return error_wrap(e, "%s", store_path(s));
    }
    return repair_without_spool(s, report, e);
}

bool record_repair(const char *run_path, struct repair_report *report, struct drd_error *e)
{
    char state[32] = "", dir[512] = "";
    memset(report, 0, sizeof *report);
    struct store *s = store_open(run_path, STORE_WRITE, e);
    if (!s)
        return false;
    store_fact(s, "state", state, sizeof state);
    store_fact(s, "spool", dir, sizeof dir);
    report->needed = strcmp(state, "complete") && strcmp(state, "incomplete");
    bool ok = !report->needed || repair_open(s, dir, report, e);
    store_close(s);
    return ok;
}
