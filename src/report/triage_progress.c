/* Did the cluster get on? What it committed, when a leader last spoke, how often votes were asked for since. */
#include "report/triage.h"

#include "protocol/protocol.h"
#include "raft/model.h"

#define STALLED_NS 5000000000u   /* without a commit, in a test that failed */
#define TIMED_OUT_NS 1000000000u /* in one that ran out of time: that is long enough to be what it waited for */
#define ELECTIONS 3              /* without a leader: no accident */

static void commit(struct progress_watch *w, uint64_t index, uint64_t time)
{
    if (index > w->commit || (index && !w->commit)) {
        w->commit = index;
        w->commit_time = time;
    }
}

/* One that does not know yet that others stand against it leads nobody. */
static void lead(struct progress_watch *w, uint64_t term, uint64_t time)
{
    if (term < w->term)
        return;
    w->lead_time = time;
    w->elections = 0;
}

/* Somebody stands for election in a term that nobody was seen in before. */
static void stand(struct progress_watch *w, uint64_t term)
{
    if (term <= w->term)
        return;
    w->term = term;
    w->elections++;
}

/* An index that is nonsense is none: 2^48 entries no log has. */
static void want(struct progress_watch *w, uint64_t index)
{
    if (index > w->wanted && index < UINT64_C(1) << 48)
        w->wanted = index;
}

static void sent(struct progress_watch *w, const struct raft_message *m, uint64_t time)
{
    if (m->type == RAFT_APPEND_ENTRIES || m->type == RAFT_INSTALL_SNAPSHOT) {
        lead(w, m->term, time);
        commit(w, m->commit, time);
        want(w, m->prev_index + (m->type == RAFT_APPEND_ENTRIES ? m->entries : 0));
    } else if (m->type == RAFT_REQUEST_VOTE && !m->pre_vote) {
        stand(w, m->term);
    }
}

void progress_feed(void *context, const struct raft_fact *fact)
{
    struct progress_watch *w = context;
    if (fact->kind == RAFT_FACT_START || fact->kind == RAFT_FACT_FAULT)
        return;
    if (!w->first)
        w->first = fact->time;
    if (fact->time > w->last)
        w->last = fact->time;
    if (fact->kind == RAFT_FACT_SENT && fact->message)
        sent(w, fact->message, fact->time);
    else if (fact->kind == RAFT_FACT_ROLE && fact->role == 2)
        lead(w, fact->term, fact->time);
    else if (fact->kind == RAFT_FACT_TERM && !fact->loaded) /* who is cut off asks nobody, and stands all the same */
        stand(w, fact->term);
    else if (fact->kind == RAFT_FACT_COMMIT || fact->kind == RAFT_FACT_APPLY)
        commit(w, fact->kind == RAFT_FACT_APPLY ? fact->entry.index : fact->index, fact->time);
    else if (fact->kind == RAFT_FACT_APPEND)
        want(w, fact->entry.index);
}

/* Whether at `time` fewer nodes lived than a majority of those that ever did. */
static bool quorum_lost(const struct raft_model *m, uint64_t time)
{
    size_t members = 0, alive = 0;
    for (size_t n = 0; n < m->nodes; n++) {
        if (!m->node[n].speaks)
            continue;
        members++;
        for (size_t p = 0; p < m->processes; p++) {
            const struct raft_process *q = &m->process[p];
            if (q->node == (int)n && q->start <= time && (!q->end || q->end >= time)) {
                alive++;
                break;
            }
        }
    }
    return members > 1 && alive * 2 <= members;
}

const char *progress_hang(const struct progress_watch *w, const struct raft_model *m, uint64_t end, bool timed_out,
                          uint64_t *ns)
{
    uint64_t from = w->commit_time ? w->commit_time : w->first;
    if (!w->first || end <= from)
        return NULL;
    *ns = end - from;
    if (*ns < (timed_out ? TIMED_OUT_NS : STALLED_NS))
        return NULL;
    if (quorum_lost(m, from + *ns / 2))
        return "no majority of the nodes was running";
    if (w->elections >= ELECTIONS)
        return "election after election, and no leader";
    if (w->lead_time < from + *ns / 2)
        return "no leader, and no election";
    return w->wanted > w->commit ? "a leader, and nothing committed" : NULL; /* or nothing was asked of it */
}
