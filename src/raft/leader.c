/* What the rules ask of a leader. */
#include <string.h>

#include "raft/parts.h"

bool node_leads(const struct raft_node *n)
{
    bool other = n->role_term >= n->leading && n->role != 2;
    return n->leading && n->leading >= n->bound && !other;
}

struct held {
    const struct raft_node *node;
    uint64_t index;
};

static bool holds(void *context, const char *id)
{
    const struct held *h = context;
    const struct raft_exchange *x = book_find(&h->node->book, id);
    return strcmp(id, h->node->id) == 0 || (x && x->acknowledged.at.how != RAFT_HOW_NONE &&
                                            x->acknowledged.term == h->node->leading && x->acknowledged.index >= h->index);
}

/* Whether the leader's log has an entry of its term, or may have had one that is compacted now, at an index. */
static bool own_at(struct step *s, uint64_t index)
{
    const struct raft_slot *slot = raft_node_slot(s->node, index);
    const struct raft_variant *v = slot ? NULL : raft_cluster_entries(s->cluster, index);
    while (v && v->term < s->node->leading)
        v = v->next;
    return slot ? slot->variant->term >= s->node->leading : v != NULL;
}

bool leader_committed(struct step *s, uint64_t index)
{
    const struct raft_node *n = s->node;
    const struct raft_members *members = members_at(&n->book, n->last);
    struct held alone = {n, UINT64_MAX};
    if (index <= n->commit || index <= n->compacted || /* only what is committed is compacted */
        (members && members_majority(members->text, holds, &alone))) /* a cluster of one */
        return true;
    for (size_t i = 0; members && i < n->book.exchanges; i++) {
        const struct raft_letter *l = &n->book.exchange[i].acknowledged;
        struct held h = {n, l->index};
        if (l->at.how != RAFT_HOW_NONE && l->term == n->leading && l->index >= index && own_at(s, l->index) &&
            members_majority(members->text, holds, &h))
            return true;
    }
    return false;
}

bool leader_committed_own(struct step *s)
{
    return s->node->commit_term >= s->node->leading || leader_committed(s, s->node->commit + 1);
}
