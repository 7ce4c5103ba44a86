#include "replay/plan.h"

#include <stdlib.h>

size_t replay_plan_index(const struct store_process *processes, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (processes[i].number == number)
            return i;
    return count;
}

/* The started process at the head of the line of forks of process i; marks all on the way. Numbers are given out in
 * order of birth, so that a parent with a higher one means a damaged run, and following parents ends. */
static bool mark_line(struct replay_plan *plan, const struct store_process *processes, size_t count, size_t i, size_t *root,
                      struct drd_error *e)
{
    while (plan->needed[i] = true, processes[i].forked) {
        size_t parent = replay_plan_index(processes, count, processes[i].parent);
        if (parent == count || processes[parent].number >= processes[i].number)
            return error_set(e, DRD_EXIT_CANNOT, "process %u was forked by a process that is not in the run",
                             processes[i].number);
        i = parent;
    }
    *root = i;
    return true;
}

static bool group_add(struct replay_plan_group *group, size_t member)
{
    size_t *more = realloc(group->member, (group->members + 1) * sizeof *more);
    if (!more)
        return false;
    group->member = more;
    group->member[group->members++] = member;
    return true;
}

/* Parents come before children (processes are in order of number), so a root opens its group before members join. */
static bool fill_groups(struct replay_plan *plan, const struct store_process *processes, size_t count, const size_t *root)
{
    size_t *group_of = calloc(count + 1, sizeof *group_of);
    bool ok = group_of != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        if (!plan->needed[i])
            continue;
        if (!processes[i].forked)
            group_of[i] = plan->groups++;
        ok = group_add(&plan->group[group_of[root[i]]], i);
    }
    free(group_of);
    return ok;
}

bool replay_plan_make(struct replay_plan *plan, const struct store_process *processes, size_t count, const bool *wanted,
               struct drd_error *e)
{
    *plan = (struct replay_plan){ .group = calloc(count + 1, sizeof *plan->group),
                           .needed = calloc(count + 1, sizeof *plan->needed) };
    size_t *root = calloc(count + 1, sizeof *root);
    bool ok = plan->group && plan->needed && root;
    if (!ok)
        error_set(e, DRD_EXIT_FATAL, "out of memory");
    for (size_t i = 0; ok && i < count; i++)
        if (wanted[i])
            ok = mark_line(plan, processes, count, i, &root[i], e);
    for (size_t i = 0; ok && i < count; i++)
        if (plan->needed[i])
            ok = mark_line(plan, processes, count, i, &root[i], e);
    if (ok && !fill_groups(plan, processes, count, root))
        ok = error_set(e, DRD_EXIT_FATAL, "out of memory");
    free(root);
    if (!ok)
        replay_plan_fini(plan);
    return ok;
}

void replay_plan_fini(struct replay_plan *plan)
{
    for (size_t i = 0; i < plan->groups; i++)
        free(plan->group[i].member);
    free(plan->group);
    free(plan->needed);
    *plan = (struct replay_plan){ 0 };
}
