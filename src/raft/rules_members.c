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

/* The snapshot file written last: its configuration comes in the same event. */
struct snapshot {
    uint32_t process;
    uint64_t sequence, index;
};

/* An entry that changes the configuration, from where it was first seen in the node's log. */
struct change {
    uint64_t index, term; /* index 0: none */
    struct raft_witness at;
};

/* What a node has put into its log and is not judged for yet: that it leads is seen no sooner than by what it sends. */
#define CHANGES 4

struct changes {
    struct change change[CHANGES];
};

struct changer {
    struct each node; /* struct changes */
    struct snapshot snapshot;
};

/* Kept where it is seen for the first time. */
static void change_keep(struct step *s, struct changer *c, uint64_t index, uint64_t term, const char *text)
{
    const struct raft_members *old = index ? members_at(&s->node->book, index - 1) : NULL;
    bool new = old && strcmp(old->text, text) != 0 && members_at(&s->node->book, index)->index != index;
    struct changes *all = new ? each_of(s, &c->node, sizeof *all) : NULL;
    for (size_t i = 0; all && i < CHANGES; i++)
        new &= all->change[i].index != index || all->change[i].term != term;
    if (!all || !new)
        return;
    memmove(all->change + 1, all->change, (CHANGES - 1) * sizeof *all->change);
    all->change[0] = (struct change){.index = index, .term = term, .at = step_witness(s, RAFT_HOW_SENT, true)};
}

/* False: its words are not known yet. */
static bool check_change(struct step *s, const struct change *c)
{
    struct raft_node *n = s->node;
    uint64_t index = c->index, term = c->term;
    const struct raft_members *old = members_at(&n->book, index - 1), *now = members_at(&n->book, index);
    if (!now || now->index != index)
        return false;
    if (!old || strcmp(old->text, now->text) == 0)
        return true;
    const char *text = now->text;
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
    if (b) {
        b->at = c->at;
        break_reason(b, &old->at, "has the configuration of index %" PRIu64 ": %.60s", old->index, old->text);
    }
    return true;
}

/* Judge what the node, which is seen to lead now, has put into its log in this term. */
static void check_changes(struct step *s, struct changer *c)
{
    struct changes *all = each_at(&c->node, (size_t)(s->node - s->model->node));
    for (size_t i = CHANGES; all && node_leads(s->node) && i-- > 0;) {
        struct change *change = &all->change[i];
        bool own = change->index && change->term == s->node->leading;
        if (change->term < s->node->leading || (own && check_change(s, change)))
            change->index = 0;
    }
}

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
    struct changer *c = state;
    if (f->again || f->loaded)
        return;
    if (f->kind == RAFT_FACT_SNAPSHOT && f->written)
        c->snapshot = (struct snapshot){f->process, f->sequence, f->index};
    if (f->kind == RAFT_FACT_CONFIGURATION)
        check_snapshot(s, &c->snapshot);
    if (f->kind == RAFT_FACT_APPEND && f->entry.members)
        change_keep(s, c, f->entry.index, f->entry.term, f->entry.members);
    if (f->kind == RAFT_FACT_CONFIGURATION && f->text)
        change_keep(s, c, f->index, f->term ? f->term : s->node->leading, f->text);
    const struct raft_message *m = f->kind == RAFT_FACT_SENT ? f->message : NULL;
    for (size_t i = 0; m && m->type == RAFT_APPEND_ENTRIES && i < m->entries; i++) {
        const struct raft_entry *e = &m->entry[i];
        if (e->members)
            change_keep(s, c, e->index, e->term, e->members);
    }
}

/* The first AppendEntries of a leader shows that it leads, and may bring the change that it made. */
static void after(struct step *s, void *state)
{
    check_changes(s, state);
}

const struct raft_rules rules_members = {
    .name = "members", .size = sizeof(struct changer), .each = sizeof(struct changes), .forgets = true, .before = before,
    .after = after,
};
