/* Adapter for marks: facts that a node states about itself (include/drd/drd.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drd/drd.h"
#include "protocol/adapter.h"

static const struct {
    int mark;
    enum raft_fact_kind fact;
} kinds[] = {
    {DRD_MARK_TERM, RAFT_FACT_TERM}, {DRD_MARK_VOTE, RAFT_FACT_VOTE}, {DRD_MARK_ROLE, RAFT_FACT_ROLE},
    {DRD_MARK_APPEND, RAFT_FACT_APPEND}, {DRD_MARK_TRUNCATE, RAFT_FACT_TRUNCATE}, {DRD_MARK_COMMIT, RAFT_FACT_COMMIT},
    {DRD_MARK_APPLY, RAFT_FACT_APPLY}, {DRD_MARK_SNAPSHOT, RAFT_FACT_SNAPSHOT},
    {DRD_MARK_CONFIGURATION, RAFT_FACT_CONFIGURATION}, {DRD_MARK_TEXT, RAFT_FACT_TEXT},
};

static void mark_entry(struct raft_fact *fact, uint64_t a, uint64_t b, uint64_t c)
{
    fact->index = fact->entry.index = a;
    fact->term = fact->entry.term = b;
    fact->entry.digest = c;
    fact->entry.type = '?';
}

static void mark_fill(struct raft_fact *fact, uint64_t a, uint64_t b, uint64_t c)
{
    switch (fact->kind) {
    case RAFT_FACT_TERM:
        fact->term = a;
        break;
    case RAFT_FACT_VOTE:
        fact->term = a;
        snprintf(fact->peer, sizeof fact->peer, "%" PRIu64, b);
        break;
    case RAFT_FACT_ROLE:
        fact->term = a;
        fact->role = b <= 3 ? (int)b : 0;
        break;
    case RAFT_FACT_APPEND: case RAFT_FACT_APPLY: case RAFT_FACT_SNAPSHOT:
        mark_entry(fact, a, b, c);
        break;
    default:
        fact->index = a;
        break;
    }
}

static void mark(void *state, struct walk *w, const struct trace_event *event, const struct flow_at *at)
{
    char id[24], text[256];
    struct trace_bytes words = event->field_bytes[4];
    uint64_t a = (uint64_t)event->field[1], b = (uint64_t)event->field[2], c = (uint64_t)event->field[3];
    (void)state;
    snprintf(text, sizeof text, "%.*s", words.data ? (int)(words.length < sizeof text ? words.length : sizeof text) : 0,
             words.data ? (const char *)words.data : "");
    if (event->field[0] == DRD_MARK_NODE) {
        snprintf(id, sizeof id, "%" PRIu64, a);
        walk_node(w, &adapter_mark, at, id);
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].mark != event->field[0])
            continue;
        struct raft_fact fact = {.kind = kinds[i].fact, .text = *text ? text : NULL};
        mark_fill(&fact, a, b, c);
        entry_text(fact.entry.text, sizeof fact.entry.text, text, strlen(text));
        walk_fact(w, &adapter_mark, at, &fact);
        return;
    }
}

const struct protocol_adapter adapter_mark = {.name = "mark", .mark = mark};
