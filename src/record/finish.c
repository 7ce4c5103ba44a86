#include "record/finish.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool finish_fact_time(struct store *s, const char *key, struct drd_error *e)
{
    char text[64], whole[80];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(whole, sizeof whole, "%s.%03ldZ", text, now.tv_nsec / 1000000);
    return store_fact_set(s, key, whole, e);
}

static void describe_unrecorded(const struct spool_process *slot, char *out, size_t size)
{
    const char *why = "it cannot be recorded";
    if (slot->reason == SPOOL_REASON_STATIC)
        why = "it is statically linked";
    else if (slot->reason == SPOOL_REASON_SETUID)
        why = "it is set-user-ID or set-group-ID";
    else if (slot->reason == SPOOL_REASON_FORMAT)
        why = "it is not an x86-64 program";
    else if (slot->reason == SPOOL_REASON_NO_SPACE)
        why = "no space is left for the spool";
    snprintf(out, size, "%.*s runs unrecorded: %s", SPOOL_NAME, slot->name, why);
}

bool finish_adopt(struct lanes *l, uint32_t process, void (*unrecorded)(void *context, const char *text), void *context,
                  struct drd_error *e)
{
    char text[160];
    switch (spool_state(l->spool, process)) {
    case SPOOL_FREE:
    case SPOOL_STARTING:
        return true;
    case SPOOL_UNRECORDED:
        l->lane[process].phase = LANE_SKIPPED;
        describe_unrecorded(spool_slot(l->spool, process), text, sizeof text);
        if (unrecorded)
            unrecorded(context, text);
        return true;
    default:
        return lane_adopt(l, process, e);
    }
}

static void count_process(const struct store_process *p, struct run_summary *out)
{
    out->processes++;
    out->nodes += p->number && !p->event_base && p->incarnation == 1; /* the first process of its node */
    out->events += p->events;
    out->bytes += p->bytes;
    if (p->complete || !out->complete)
        return;
    out->complete = false;
    snprintf(out->incomplete, sizeof out->incomplete, "%s@%llu: %s", p->node,
             (unsigned long long)(p->event_base + (p->events ? p->events - 1 : 0)),
             p->incomplete_reason ? p->incomplete_reason : "cut off");
}

static void summarize(const struct lanes *l, struct run_summary *out)
{
    *out = (struct run_summary){.complete = true};
    for (uint32_t i = 0; i < l->count; i++)
        if (l->lane[i].row.node)
            count_process(&l->lane[i].row, out);
}

static bool close_facts(struct lanes *l, struct run_summary *out, struct drd_error *e)
{
    struct store *s = l->store;
    summarize(l, out);
    return (out->complete || store_fact_set(s, "incomplete", out->incomplete, e)) && finish_fact_time(s, "ended", e) &&
           store_fact_set(s, "spool", "", e) && store_fact_set(s, "state", out->complete ? "complete" : "incomplete", e);
}

bool finish_run(struct lanes *l, bool (*alive)(const struct lanes *l, uint32_t process), const char *reason,
                struct run_summary *out, struct drd_error *e)
{
    __atomic_store_n(&l->spool->run->stopped, 1, __ATOMIC_RELEASE);
    if (!lanes_extend(l, e))
        return false;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->lane[i].phase == LANE_WAITING && !finish_adopt(l, i, NULL, NULL, e))
            return false;
        if (l->lane[i].phase != LANE_ACTIVE)
            continue;
        enum spool_state state = spool_state(l->spool, i);
        bool goes_on = i && state == SPOOL_RUNNING && alive(l, i);
        if (!lane_finish(l, i, goes_on ? reason : NULL, e))
            return false;
    }
    return lanes_close(l, e) && close_facts(l, out, e);
}

/* Processes that the transaction just lost was to bring: they are in the run, known up to their first event. What it had
 * taken of the disk is free again. */
static void put_unwritten(struct lanes *l)
{
    struct store_process *list = NULL;
    size_t count = 0, known = 0;
    if (!store_processes(l->store, &list, &count, NULL))
        return;
    for (uint32_t i = 0; i < l->count; i++) {
        struct store_process row = l->lane[i].row;
        while (known < count && list[known].number < i)
            known++;
        if (!row.node || !row.exe || (known < count && list[known].number == i))
            continue;
        row.events = row.bytes = row.draft = 0;
        row.complete = false;
        store_process_put(l->store, &row, NULL);
    }
    for (size_t i = 0; i < count; i++)
        store_process_fini(&list[i]);
    free(list);
}

/* Without space for a journal: changes in place, to a value that is no longer than the one before. */
void finish_broken(struct lanes *l, const char *why, struct run_summary *out)
{
    struct store *s = l->store;
    sqlite3 *db = store_database(s);
    struct store_process *list = NULL;
    size_t count = 0;
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA journal_mode=MEMORY", NULL, NULL, NULL);
    store_fact_set(s, "state", "incomplete", NULL);
    store_fact_set(s, "incomplete", "no space left", NULL);
    store_fact_set(s, "spool", "", NULL);
    put_unwritten(l);
    store_processes(s, &list, &count, NULL);
    *out = (struct run_summary){.complete = true};
    for (size_t i = 0; i < count; i++) {
        if (!list[i].complete && !list[i].incomplete_reason && (list[i].incomplete_reason = strdup("no space left")))
            store_process_put(s, &list[i], NULL);
        count_process(&list[i], out);
        store_process_fini(&list[i]);
    }
    free(list);
    out->complete = false;
    snprintf(out->incomplete, sizeof out->incomplete, "%.280s", why);
}
