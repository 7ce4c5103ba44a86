#include "explain/explain.h"

#include <inttypes.h>
#include <string.h>

#include "util/text.h"

void verdict_entry(const struct raft_variant *entry, char *out, size_t size)
{
    char text[4 * sizeof entry->text + 8];
    if (!entry)
        snprintf(out, size, "nothing");
    else if (entry->type == 'm')
        snprintf(out, size, "a configuration (term %" PRIu64 ")", entry->term);
    else if (entry->text[0])
        snprintf(out, size, "%s (term %" PRIu64 ")", text_quote(entry->text, strlen(entry->text), text, sizeof text),
                 entry->term);
    else if (entry->type == 'n')
        snprintf(out, size, "a no-op (term %" PRIu64 ")", entry->term);
    else if (entry->digest)
        snprintf(out, size, "entry %08" PRIx32 " (term %" PRIu64 ")", (uint32_t)(entry->digest >> 32), entry->term);
    else
        snprintf(out, size, "an entry of term %" PRIu64, entry->term);
}

void verdict_event(const struct verdict *v, const struct raft_witness *w, char *out, size_t size)
{
    for (size_t i = 0; i < v->processes; i++) {
        if (v->process[i].number == w->process) {
            event_name(&v->process[i], w->sequence, out, size);
            return;
        }
    }
    snprintf(out, size, "%s@%" PRIu64, v->model->node[w->node].name, w->sequence);
}

const char *verdict_node(const struct verdict *v, const struct raft_side *side, const struct raft_witness *w)
{
    return side && side->id[0] ? side->id : v->model->node[w->node].name;
}

const char *verdict_how(const struct raft_witness *w)
{
    static const char *const texts[RAFT_HOW_COUNT] = {
        [RAFT_HOW_NONE] = "",
        [RAFT_HOW_APPLIED] = "it states that it applied it",
        [RAFT_HOW_COMMITTED] = "its commit index covers it",
        [RAFT_HOW_LEADER_COMMIT] = "leaderCommit of the AppendEntries it sent covers it",
        [RAFT_HOW_ANSWERED] = "it told a client that it is done",
        [RAFT_HOW_SENT] = "it sent AppendEntries that say so",
        [RAFT_HOW_WRITTEN] = "it wrote it to disk",
        [RAFT_HOW_LOADED] = "it read it back from disk at its start",
        [RAFT_HOW_STATED] = "it states so",
        [RAFT_HOW_SNAPSHOT] = "its snapshot ends with it",
        [RAFT_HOW_ACKNOWLEDGED] = "it acknowledged the AppendEntries that carried it",
        [RAFT_HOW_FOLLOWED] = "it acknowledged AppendEntries whose leaderCommit covers it",
        [RAFT_HOW_HEARD] = "another node received AppendEntries from it",
    };
    return texts[w->how < RAFT_HOW_COUNT ? w->how : 0];
}

const struct raft_witness *verdict_first(const struct raft_finding *f)
{
    const struct raft_witness *first = NULL;
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++) {
            if (!first || f->side[i].witness[w].order < first->order)
                first = &f->side[i].witness[w];
        }
    }
    return first;
}

/* ---- The headline, one function for each property ---- */

/* A node of which another life is named too is named with its incarnation. */
static bool node_has_other_life(const struct raft_finding *f, const struct raft_witness *at)
{
    for (size_t i = 0; i < f->sides; i++) {
        for (size_t w = 0; w < f->side[i].witnesses; w++) {
            const struct raft_witness *other = &f->side[i].witness[w];
            if (other->node == at->node && other->process != at->process && f->property != RAFT_LEADER_APPEND_ONLY)
                return true;
        }
    }
    return false;
}

static uint32_t incarnation_of(const struct verdict *v, uint32_t process)
{
    for (size_t i = 0; i < v->model->processes; i++) {
        if (v->model->process[i].number == process)
            return v->model->process[i].incarnation;
    }
    return 0;
}

/* "s0", "s1 and s2", "s1, s2 and s3" */
static void print_nodes(const struct verdict *v, const struct raft_finding *f, const struct raft_side *side, FILE *out)
{
    for (size_t i = 0; i < side->witnesses; i++) {
        const struct raft_witness *w = &side->witness[i];
        fprintf(out, "%s%s", i == 0 ? "" : i + 1 == side->witnesses ? " and " : ", ", verdict_node(v, side, w));
        if (!side->id[0] && node_has_other_life(f, w))
            fprintf(out, " (incarnation %" PRIu32 ")", incarnation_of(v, w->process));
    }
}

static bool side_applied(const struct raft_side *side)
{
    bool applied = side->witnesses > 0;
    for (size_t i = 0; i < side->witnesses; i++)
        applied &= side->witness[i].how == RAFT_HOW_APPLIED;
    return applied;
}

static void print_holding(const struct verdict *v, const struct raft_finding *f, const struct raft_side *side,
                          const char *verb, FILE *out)
{
    char entry[256];
    verdict_entry(side->variant, entry, sizeof entry);
    print_nodes(v, f, side, out);
    fprintf(out, " %s %s", verb, entry);
}

static void say_state_machine_safety(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "State Machine Safety broken at index %" PRIu64 ": ", f->index);
    for (size_t i = 0; i < f->sides; i++) {
        fprintf(out, "%s", i ? ", " : "");
        print_holding(v, f, &f->side[i], side_applied(&f->side[i]) ? "applied" : "committed", out);
    }
}

static void say_leader_completeness(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    char verb[64];
    fprintf(out, "Leader Completeness broken at index %" PRIu64 ": ", f->index);
    snprintf(verb, sizeof verb, "as leader of term %" PRIu64 " held", f->term);
    for (size_t i = 0; i < f->sides; i++) {
        fprintf(out, "%s", i ? ", " : "");
        print_holding(v, f, &f->side[i], i ? verb : "had committed", out);
    }
}

static void say_election_safety(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "Election Safety broken in term %" PRIu64 ": ", f->term);
    for (size_t i = 0; i < f->sides; i++) {
        fprintf(out, "%s", i == 0 ? "" : i + 1 == f->sides ? " and " : ", ");
        print_nodes(v, f, &f->side[i], out);
    }
    fprintf(out, " led it");
}

static void say_log_matching(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    bool prefix = f->sides > 1 && f->side[0].variant == f->side[1].variant;
    char verb[64];
    fprintf(out, "Log Matching broken at index %" PRIu64 ": ", f->index);
    for (size_t i = 0; i < f->sides; i++) {
        fprintf(out, "%s", i ? ", " : "");
        snprintf(verb, sizeof verb, "after an entry of term %" PRIu64 " held", f->side[i].value);
        print_holding(v, f, &f->side[i], prefix ? verb : "held", out);
    }
}

static void say_leader_append_only(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    char before[256], after[256];
    verdict_entry(f->side[0].variant, before, sizeof before);
    fprintf(out, "Leader Append-Only broken at index %" PRIu64 ": ", f->index);
    print_nodes(v, f, &f->side[0], out);
    if (f->sides > 1 && f->side[1].variant) {
        verdict_entry(f->side[1].variant, after, sizeof after);
        fprintf(out, ", leader of term %" PRIu64 ", replaced %s by %s", f->term, before, after);
    } else {
        fprintf(out, ", leader of term %" PRIu64 ", deleted %s", f->term, before);
    }
}

static void say_state_determinism(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    char entry[256];
    verdict_entry(f->side[0].variant, entry, sizeof entry);
    fprintf(out, "state machines differ at index %" PRIu64 ": after %s ", f->index, entry);
    for (size_t i = 0; i < f->sides; i++) {
        fprintf(out, "%s", i ? ", " : "");
        print_nodes(v, f, &f->side[i], out);
        fprintf(out, " has state %016" PRIx64, f->side[i].value);
    }
}

static void say_commit(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "commit index went back on ");
    print_nodes(v, f, &f->side[0], out);
    fprintf(out, ": from %" PRIu64 " to %" PRIu64, f->side[0].value, f->index);
}

static void say_term(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "current term went back on ");
    print_nodes(v, f, &f->side[0], out);
    fprintf(out, ": from %" PRIu64 " to %" PRIu64, f->side[0].value, f->term);
}

static void say_applied_in_order(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "applied out of order on ");
    print_nodes(v, f, &f->side[0], out);
    fprintf(out, ": index %" PRIu64 " after index %" PRIu64, f->index, f->side[0].value);
}

/* Side 1 is the second time. */
static void say_time(const struct verdict *v, const struct raft_finding *f, size_t i, uint64_t index, FILE *out)
{
    const struct raft_side *side = &f->side[i];
    print_nodes(v, f, side, out);
    fprintf(out, side->witnesses && side->witness[0].how == RAFT_HOW_APPLIED ? " applied it" : " answered it");
    if (i)
        fprintf(out, " otherwise");
    if (index)
        fprintf(out, " at index %" PRIu64, index);
}

static void say_exactly_once(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "a command of a client took effect twice: ");
    say_time(v, f, 0, f->first, out);
    fprintf(out, ", ");
    say_time(v, f, f->sides - 1, f->index, out);
}

static void say_reads(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    fprintf(out, "a stale read: ");
    print_nodes(v, f, &f->side[f->sides - 1], out);
    fprintf(out, " told a client less than ");
    print_nodes(v, f, &f->side[0], out);
    fprintf(out, " had acknowledged before, at index %" PRIu64, f->index);
}

static void (*const headlines[RAFT_PROPERTY_COUNT])(const struct verdict *v, const struct raft_finding *f, FILE *out) = {
    [RAFT_STATE_MACHINE_SAFETY] = say_state_machine_safety,
    [RAFT_LEADER_COMPLETENESS] = say_leader_completeness,
    [RAFT_ELECTION_SAFETY] = say_election_safety,
    [RAFT_LOG_MATCHING] = say_log_matching,
    [RAFT_LEADER_APPEND_ONLY] = say_leader_append_only,
    [RAFT_STATE_DETERMINISM] = say_state_determinism,
    [RAFT_APPLIED_IN_ORDER] = say_applied_in_order,
    [RAFT_EXACTLY_ONCE] = say_exactly_once,
    [RAFT_LINEARIZABLE_READS] = say_reads,
    [RAFT_COMMIT_MONOTONIC] = say_commit,
    [RAFT_TERM_MONOTONIC] = say_term,
};

void verdict_headline(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    headlines[f->property](v, f, out);
}
