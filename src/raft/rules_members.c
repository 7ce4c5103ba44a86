/* Changes of the configuration: T19. A majority that is one only by another configuration than the latest in the log is
 * found where majorities are counted (rules_commit.c, rules_votes.c) with members_other. */
#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rule.h"

static bool is_voter(const char *text, const char *id)
{
    char other[RAFT_NODE_NAME];
    bool votes;
    while (members_next(&text, other, &votes)) {
        if (votes && strcmp(other, id) == 0)
            return true;
    }
    return false;
}

/* Voters of `a` that are none in `b`. */
static unsigned voters_less(const char *a, const char *b)
{
    char id[RAFT_NODE_NAME];
    unsigned count = 0;
    bool votes;
    while (members_next(&a, id, &votes))
        count += votes && !is_voter(b, id);
    return count;
}

static void check_change(struct step *s, uint64_t index, uint64_t term, const char *text)
{
    struct raft_node *n = s->node;
    const struct raft_members *old = index ? members_at(&n->book, index - 1) : NULL, *same = members_at(&n->book, index);
    if (!node_leads(n) || term != n->leading || !old || strcmp(old->text, text) == 0 || (same && same->index == index))
        return;
    struct raft_break *b = NULL;
    if (!leader_committed(s, old->index)) {
        b = break_add(s, RAFT_T19, RAFT_SPOILS_MEMBERS, term, index, "pending");
        break_text(b, "pending", "%s, leader of term %" PRIu64 ", changed the configuration at index %" PRIu64
                   " while the one of index %" PRIu64 " was not committed", n->name, term, index, old->index);
    } else if (!leader_committed_own(s)) {
        b = break_add(s, RAFT_T19, RAFT_SPOILS_MEMBERS, term, index, "term");
        break_text(b, "term", "%s, leader of term %" PRIu64 ", changed the configuration at index %" PRIu64
                   " before an entry of its own term was committed", n->name, term, index);
    } else if (!strchr(text, '|') && voters_less(old->text, text) + voters_less(text, old->text) > 1) {
        b = break_add(s, RAFT_T19, RAFT_SPOILS_MEMBERS, term, index, "many");
        break_text(b, "many", "%s, leader of term %" PRIu64 ", changed more than one voter at once at index %" PRIu64
                   " without joint consensus", n->name, term, index);
    }
    if (b)
        break_reason(b, &old->at, "has the configuration of index %" PRIu64 ": %.60s", old->index, old->text);
}

/* The snapshot file written last: its configuration comes in the same event. */
struct snapshot {
    uint32_t process;
    uint64_t sequence, index;
};

/* Section 7: a snapshot holds the latest configuration as of its last included index. */
static void check_snapshot(struct step *s, const struct snapshot *snapshot)
{
    const struct raft_fact *f = s->fact;
    if (snapshot->process != f->process || snapshot->sequence != f->sequence || f->index <= snapshot->index || !f->written)
        return;
    struct raft_break *b = break_add(s, RAFT_T19, RAFT_SPOILS_MEMBERS, s->node->term, f->index, "snapshot");
    break_text(b, "snapshot", "%s put the configuration of index %" PRIu64 " into a snapshot that ends at index %" PRIu64,
               s->node->name, f->index, snapshot->index);
}

static void before(struct step *s, void *state)
{
    const struct raft_fact *f = s->fact;
    struct snapshot *snapshot = state;
    if (f->again || f->loaded)
        return;
    if (f->kind == RAFT_FACT_SNAPSHOT && f->written)
        *snapshot = (struct snapshot){f->process, f->sequence, f->index};
    if (f->kind == RAFT_FACT_CONFIGURATION)
        check_snapshot(s, snapshot);
    if (f->kind == RAFT_FACT_APPEND && f->entry.members)
        check_change(s, f->entry.index, f->entry.term, f->entry.members);
    if (f->kind == RAFT_FACT_CONFIGURATION && f->text)
        check_change(s, f->index, f->term ? f->term : s->node->leading, f->text);
    for (size_t i = 0; f->kind == RAFT_FACT_SENT && f->message->type == RAFT_APPEND_ENTRIES && i < f->message->entries; i++) {
        const struct raft_entry *e = &f->message->entry[i];
        if (e->members)
            check_change(s, e->index, e->term, e->members);
    }
}

const struct raft_rules rules_members = {.name = "members", .size = sizeof(struct snapshot), .before = before};
