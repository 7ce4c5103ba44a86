/* Linearizable reads without the log (6.4 of the dissertation): a read may be answered from the state as of the commit index
 * at its arrival, once an entry of this term is committed and a majority has confirmed, after its arrival, that we lead. */
#include "raft.h"

#include <stdlib.h>
#include <string.h>

struct read {
    struct read *next;
    struct client *client;
    char tag[24], key[24];
    uint64_t index; /* 0: nothing of this term is committed yet */
    uint64_t round; /* that must be confirmed */
    uint64_t replies_before; /* how many answers of others had come before */
};

static struct read *reads, **reads_end = &reads;

static bool own_term_committed(void)
{
    return raft.commit && log_term(raft.commit) == raft.term;
}

/* From now on: the index is fixed, and the next round asks. */
static void read_arm(struct read *r)
{
    r->index = raft.commit;
    r->round = raft.round + 1;
    raft.broadcast = true;
}

void read_begin(struct client *client, const char *tag, const char *key)
{
    struct read *r = calloc(1, sizeof *r);
    if (!r || raft.role != LEADER) {
        free(r);
        return read_refuse(client, tag);
    }
    r->client = client;
    r->replies_before = raft.replies;
    strncpy(r->tag, tag, sizeof r->tag - 1);
    strncpy(r->key, key, sizeof r->key - 1);
    *reads_end = r;
    reads_end = &r->next;
    reads_advance();
}

/* A majority has answered a round that began after the read came. */
static bool confirmed(uint64_t round)
{
    const struct configuration *c = configuration_for_quorum();
    unsigned count = 0;
    for (uint64_t id = 1; id < SERVERS; id++)
        count += c->member[id].standing == VOTER && raft.server[id].round >= round;
    return count >= majority(c);
}

/* Mistake T21c: a majority has answered something since, whatever it was. */
static bool answered_since(const struct read *r)
{
    const struct configuration *c = configuration_for_quorum();
    unsigned count = 0;
    for (uint64_t id = 1; id < SERVERS; id++)
        count += c->member[id].standing == VOTER && (id == raft.id || raft.server[id].replied > r->replies_before);
    return count >= majority(c);
}

static bool read_is_safe(struct read *r)
{
    if (!r->index && own_term_committed())
        read_arm(r);
    if (!r->index && PLANTED(T21b)) {
        read_arm(r);
        r->index = raft.commit ? raft.commit : 1;
    }
    if (!r->index || raft.applied < r->index)
        return false;
    bool safe = confirmed(r->round);
    if (safe && !own_term_committed())
        return MISTAKE(T21b, true);
    return safe || MISTAKE(T21a, true) || MISTAKE(T21c, answered_since(r));
}

static void read_end(struct read *r, bool safe)
{
    reads = r->next;
    if (!reads)
        reads_end = &reads;
    if (safe)
        read_answer(r->client, r->tag, r->key);
    else
        read_refuse(r->client, r->tag);
    free(r);
}

/* In the order of their arrival. */
void reads_advance(void)
{
    while (reads && raft.role == LEADER && read_is_safe(reads))
        read_end(reads, true);
}

unsigned reads_waiting(void)
{
    unsigned count = 0;
    for (const struct read *r = reads; r; r = r->next)
        count++;
    return count;
}

void reads_fail(void)
{
    while (reads)
        read_end(reads, false);
}
