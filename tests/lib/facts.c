#include "lib/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drd/drd.h"

void facts_init(struct facts *f, uint32_t nodes)
{
    *f = (struct facts){.model = raft_model_create(), .nodes = nodes, .processes = nodes};
    for (uint32_t i = 0; i < nodes; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%u", i);
        f->process[i] = i + 1;
        raft_model_process(f->model, i + 1, name, 1, i, 0, true);
    }
}

void facts_fini(struct facts *f)
{
    raft_model_destroy(f->model);
}

void facts_restart(struct facts *f, unsigned node)
{
    char name[16];
    uint32_t incarnation = 2 + (f->process[node] > f->nodes ? (f->process[node] - f->nodes) : 0);
    snprintf(name, sizeof name, "s%u", node);
    f->process[node] = ++f->processes;
    f->sequence[node] = 0;
    raft_model_process(f->model, f->process[node], name, incarnation, 1000, 0, true);
}

void facts_tell(struct facts *f, unsigned node, struct raft_fact *fact)
{
    fact->process = f->process[node];
    fact->sequence = ++f->sequence[node];
    fact->time = fact->time ? fact->time : f->model->facts;
    fact->protocol = "test";
    if (f->tell)
        f->tell(f->context, fact);
    else
        raft_model_step(f->model, fact);
}

static void id_of(unsigned node, char *out)
{
    snprintf(out, RAFT_NODE_NAME, "%u", node);
}

struct raft_message facts_message(enum raft_type type, unsigned from, unsigned to, uint64_t term)
{
    struct raft_message m = {.type = type, .term = term};
    id_of(from, m.from);
    id_of(to, m.to);
    return m;
}

static struct raft_entry entry_make(uint64_t index, uint64_t term, const char *text)
{
    struct raft_entry e = {.index = index, .term = term, .type = 'c', .digest = drd_digest(text, strlen(text))};
    snprintf(e.text, sizeof e.text, "%s", text);
    return e;
}

static void pass(struct facts *f, unsigned node, enum raft_fact_kind kind, const struct raft_message *m)
{
    facts_tell(f, node, &(struct raft_fact){.kind = kind, .message = m});
}

static void append_entries(struct facts *f, enum raft_fact_kind kind, unsigned from, unsigned to, uint64_t term,
                           uint64_t prev_index, uint64_t prev_term, const struct facts_entry *entries, uint64_t commit)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, from, to, term);
    struct raft_entry entry[64];
    m.prev_index = prev_index;
    m.prev_term = prev_term;
    m.commit = commit;
    m.entry = entry;
    for (; entries[m.entries].text && m.entries < 64; m.entries++)
        entry[m.entries] = entry_make(prev_index + 1 + m.entries, entries[m.entries].term, entries[m.entries].text);
    pass(f, kind == RAFT_FACT_SENT ? from : to, kind, &m);
}

void facts_sent(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                const struct facts_entry *entries, uint64_t commit)
{
    append_entries(f, RAFT_FACT_SENT, from, to, term, prev_index, prev_term, entries, commit);
}

void facts_received(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                    const struct facts_entry *entries, uint64_t commit)
{
    append_entries(f, RAFT_FACT_RECEIVED, from, to, term, prev_index, prev_term, entries, commit);
}

void facts_appended(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t prev_index, uint64_t prev_term,
                    const struct facts_entry *entries, uint64_t commit)
{
    uint64_t end = prev_index;
    for (const struct facts_entry *e = entries; e->text; e++)
        end++;
    facts_sent(f, from, to, term, prev_index, prev_term, entries, commit);
    facts_received(f, from, to, term, prev_index, prev_term, entries, commit);
    facts_answer(f, to, from, term, true, end);
}

void facts_answer(struct facts *f, unsigned from, unsigned to, uint64_t term, bool success, uint64_t match)
{
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES_RESULT, from, to, term);
    m.success = success;
    m.match = match;
    pass(f, from, RAFT_FACT_SENT, &m);
    pass(f, to, RAFT_FACT_RECEIVED, &m);
}

void facts_vote(struct facts *f, unsigned voter, unsigned candidate, uint64_t term)
{
    struct raft_message request = facts_message(RAFT_REQUEST_VOTE, candidate, voter, term);
    pass(f, candidate, RAFT_FACT_SENT, &request);
    pass(f, voter, RAFT_FACT_RECEIVED, &request);
    struct raft_message result = facts_message(RAFT_REQUEST_VOTE_RESULT, voter, candidate, term);
    result.success = true;
    pass(f, voter, RAFT_FACT_SENT, &result);
    pass(f, candidate, RAFT_FACT_RECEIVED, &result);
}

static struct raft_message snapshot_make(unsigned from, unsigned to, uint64_t term, uint64_t index, uint64_t last_term)
{
    struct raft_message m = facts_message(RAFT_INSTALL_SNAPSHOT, from, to, term);
    m.prev_index = index;
    m.prev_term = last_term;
    return m;
}

void facts_snapshot_sent(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t index, uint64_t last_term)
{
    struct raft_message m = snapshot_make(from, to, term, index, last_term);
    pass(f, from, RAFT_FACT_SENT, &m);
}

void facts_snapshot_received(struct facts *f, unsigned from, unsigned to, uint64_t term, uint64_t index, uint64_t last_term)
{
    struct raft_message m = snapshot_make(from, to, term, index, last_term);
    pass(f, to, RAFT_FACT_RECEIVED, &m);
}

void facts_snapshot_answer(struct facts *f, unsigned from, unsigned to, uint64_t term)
{
    struct raft_message m = facts_message(RAFT_INSTALL_SNAPSHOT_RESULT, from, to, term);
    m.success = true;
    pass(f, from, RAFT_FACT_SENT, &m);
}

void facts_append(struct facts *f, unsigned node, bool durable, uint64_t index, uint64_t term, const char *text)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_APPEND, .durable = durable, .entry = entry_make(index, term, text)});
}

void facts_state(struct facts *f, unsigned node, enum raft_fact_kind kind, uint64_t index, uint64_t term)
{
    facts_tell(f, node, &(struct raft_fact){.kind = kind, .index = index, .term = term});
}

void facts_role(struct facts *f, unsigned node, uint64_t term, int role)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_ROLE, .term = term, .role = role});
}

void facts_apply(struct facts *f, unsigned node, uint64_t index, uint64_t term, uint64_t state)
{
    facts_tell(f, node, &(struct raft_fact){.kind = RAFT_FACT_APPLY, .index = index, .term = term,
                                      .entry = {.index = index, .term = term, .digest = state}});
}

const struct raft_finding *facts_finding(const struct facts *f, enum raft_property property)
{
    for (size_t i = 0; i < f->model->findings; i++) {
        if (f->model->finding[i].property == property)
            return &f->model->finding[i];
    }
    return NULL;
}
