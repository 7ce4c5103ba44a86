#include "lib/breaks.h"

#include <stdio.h>
#include <string.h>

int breaks_setup(void **state, unsigned nodes)
{
    static struct facts f;
    char members[64] = "";
    facts_init(&f, nodes);
    for (unsigned i = 0; i < nodes; i++)
        snprintf(members + strlen(members), sizeof members - strlen(members), i ? " %u" : "%u", i);
    for (unsigned i = 0; i < nodes; i++) {
        facts_tell(&f, i, &(struct raft_fact){.kind = RAFT_FACT_NODE, .peer = {(char)('0' + i)}});
        facts_append(&f, i, true, 1, 1, "boot");
        moves_members(&f, i, 1, members);
    }
    *state = &f;
    return 0;
}

int breaks_teardown(void **state)
{
    facts_fini(*state);
    return 0;
}

const struct raft_break *break_find(const struct facts *f, enum raft_class class)
{
    for (size_t i = 0; i < f->model->breaks; i++) {
        if (f->model->rule_break[i].class == class)
            return &f->model->rule_break[i];
    }
    return NULL;
}

static void others_fail(const struct facts *f, const struct raft_break *but)
{
    for (size_t i = 0; i < f->model->breaks; i++) {
        const struct raft_break *b = &f->model->rule_break[i];
        if (b != but)
            fail_msg("%s: %s", raft_classes[b->class].id, b->text);
    }
}

const struct raft_break *break_is_at(const struct facts *f, enum raft_class class, unsigned node, uint64_t sequence, const char *text)
{
    const struct raft_break *b = break_find(f, class);
    others_fail(f, b);
    if (!b)
        fail_msg("no %s", raft_classes[class].id);
    assert_string_equal(b->text, text);
    assert_int_equal(b->at.process, f->process[node]);
    assert_int_equal(b->at.sequence, sequence);
    for (size_t i = 1; i < b->reasons; i++)
        assert_true(b->reason[i - 1].at.order <= b->reason[i].at.order);
    return b;
}

void breaks_none(const struct facts *f)
{
    others_fail(f, NULL);
}

static void pass(struct facts *f, const struct raft_message *m, unsigned from, unsigned to)
{
    facts_tell(f, from, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = m});
    facts_tell(f, to, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = m});
}

void moves_elect(struct facts *f, unsigned candidate, uint64_t term, uint64_t last, uint64_t last_term, const char *voters)
{
    for (; *voters; voters++) {
        unsigned voter = (unsigned)(*voters - '0');
        struct raft_message request = facts_message(RAFT_REQUEST_VOTE, candidate, voter, term);
        struct raft_message result = facts_message(RAFT_REQUEST_VOTE_RESULT, voter, candidate, term);
        request.prev_index = last;
        request.prev_term = last_term;
        result.success = true;
        pass(f, &request, candidate, voter);
        pass(f, &result, voter, candidate);
    }
}

uint64_t moves_replicate(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                         const struct facts_entry *entries, uint64_t commit)
{
    uint64_t end = prev_index;
    facts_sent(f, from, to, term, prev_index, prev_term, entries, commit);
    facts_received(f, from, to, term, prev_index, prev_term, entries, commit);
    for (const struct facts_entry *e = entries; e->text; e++)
        facts_append(f, to, true, ++end, e->term, e->text);
    facts_answer(f, to, from, term, true, end);
    return f->sequence[from];
}

uint64_t moves_heartbeat(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                         uint64_t commit)
{
    facts_sent(f, from, to, term, prev_index, prev_term, HEARTBEAT, commit);
    uint64_t sent = f->sequence[from];
    facts_received(f, from, to, term, prev_index, prev_term, HEARTBEAT, commit);
    return sent;
}

void moves_members(struct facts *f, unsigned node, uint64_t index, const char *text)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_CONFIGURATION, .index = index, .text = text});
}

uint64_t moves_state(struct facts *f, unsigned node, enum raft_fact_kind kind, bool disk, uint64_t index, uint64_t term)
{
    facts_tell(f, node, &(struct raft_fact){.kind = kind, .written = disk, .index = index, .term = term});
    return f->sequence[node];
}
