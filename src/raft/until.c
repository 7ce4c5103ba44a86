#include "raft/until.h"

struct passing {
    struct raft_until *until;
    uint64_t events; /* asked for */
    bool beyond;
};

static void pass(void *context, const struct raft_fact *fact)
{
    struct passing *p = context;
    struct raft_until *u = p->until;
    bool same = u->events && fact->process == u->process && fact->sequence == u->sequence;
    if (!same)
        p->beyond |= u->events == p->events;
    if (p->beyond)
        return;
    u->events += !same;
    u->process = fact->process;
    u->sequence = fact->sequence;
    u->time = fact->time;
    raft_model_step(u->model, fact);
}

bool raft_until_run(struct raft_until *u, struct store *s, const struct store_process *process, size_t processes,
                    uint64_t events, struct drd_error *e)
{
    *u = (struct raft_until){.model = raft_model_create()};
    for (size_t i = 0; u->model && i < processes; i++) {
        const struct store_process *p = &process[i];
        raft_model_process(u->model, p->number, p->node ? p->node : "", p->incarnation, p->start, p->end, p->complete);
        raft_model_status(u->model, p->number, p->status);
    }
    struct passing passing = {.until = u, .events = events};
    if (u->model && !protocol_walk(s, pass, &passing, e)) {
        raft_until_fini(u);
        return false;
    }
    if (u->model && !u->model->out_of_memory)
        return true;
    raft_until_fini(u);
    return error_set(e, DRD_EXIT_FATAL, "out of memory");
}

void raft_until_fini(struct raft_until *u)
{
    raft_model_destroy(u->model);
    u->model = NULL;
}
