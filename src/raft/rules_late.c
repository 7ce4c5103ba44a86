/* T18 of a command: a leader takes it, learns of another leader's term, and appends it all the same, as an entry of a term
 * in which it does not lead. */
#include <inttypes.h>
#include <string.h>

#include "raft/parts.h"
#include "raft/rules_votes.h"

void late_command(struct step *s, struct voter *v, const struct raft_message *m)
{
    if (m->entries != 1 || !m->entry[0].digest || !s->node->leading || s->node->leading < v->heard)
        return;
    v->command[v->commands++ % VOTER_COMMANDS] = (struct vote_command){
        .digest = m->entry[0].digest, .led = s->node->leading, .at = step_witness(s, RAFT_HOW_HEARD, true)};
}

static const struct vote_command *command_find(const struct voter *v, uint64_t digest)
{
    size_t kept = v->commands < VOTER_COMMANDS ? v->commands : VOTER_COMMANDS;
    for (size_t i = 0; i < kept; i++) {
        if (v->command[i].digest == digest)
            return &v->command[i];
    }
    return NULL;
}

/* Somebody has it at this index, or an entry of which only the term is known: then it may have been sent here. */
static bool entry_known(const struct step *s, const struct raft_entry *e)
{
    for (const struct raft_variant *v = raft_cluster_entries(s->cluster, e->index); v; v = v->next) {
        if (v->term == e->term && (!v->digest || raft_variant_shows(v, e->digest, s->fact->protocol)))
            return true;
    }
    return false;
}

void late_append(struct step *s, struct voter *v)
{
    const struct raft_entry *e = &s->fact->entry;
    const struct vote_command *c =
        s->fact->loaded || !e->digest || s->node->leading >= e->term ? NULL : command_find(v, e->digest);
    bool heard = v->heard >= e->term;
    if (!c || c->led >= e->term || (!heard && v->adopted < e->term) || entry_known(s, e) ||
        vote_cast_find(v, e->term, s->node->id, NULL, false))
        return;
    struct raft_break *b = break_add(s, RAFT_T18, RAFT_SPOILS_LOG, e->term, e->index, "");
    if (!b)
        return;
    break_reason(b, &c->at, "takes the command \"%s\" of a client, as leader of term %" PRIu64, e->text, c->led);
    if (heard)
        break_reason(b, &v->heard_at, "hears of term %" PRIu64, v->heard);
    else
        break_reason(b, &v->adopted_at, "is in term %" PRIu64, v->adopted);
    break_text(b, "late", "%s appended \"%s\" at index %" PRIu64 " in term %" PRIu64
               ", which it does not lead: it had taken it as leader of term %" PRIu64, s->node->name, e->text, e->index,
               e->term, c->led);
}
