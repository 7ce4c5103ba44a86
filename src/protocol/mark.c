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

/* What a client asked, and what it was told. */
static void mark_client(struct walk *w, const struct flow_at *at, int64_t kind, const uint64_t value[3], const char *key)
{
    bool result = kind == DRD_MARK_RESULT;
    struct raft_message m = {.type = result ? RAFT_CLIENT_RESULT : RAFT_CLIENT_REQUEST, .success = result};
    struct raft_entry entry = {.digest = value[2], .type = '?'};
    struct raft_fact told = {.kind = result ? RAFT_FACT_SENT : RAFT_FACT_RECEIVED, .message = &m};
    snprintf(m.name, sizeof m.name, "%s", result ? "result" : kind == DRD_MARK_READ ? "read" : "write");
    snprintf(m.request, sizeof m.request, "%" PRIu32 ".%" PRIu64, at->process, value[0]);
    entry_text(m.key, sizeof m.key, key, strlen(key));
    m.read = kind == DRD_MARK_READ;
    if (result) {
        m.match = value[1];
        m.value = value[2];
    } else if (entry.digest) {
        entry_text(entry.text, sizeof entry.text, key, strlen(key));
        m.entry = &entry;
        m.entries = 1;
    }
    walk_fact(w, &adapter_mark, at, &told);
}

static void mark_state(struct walk *w, const struct flow_at *at, int64_t kind, const uint64_t value[3], const char *text,
                       size_t length)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].mark != kind)
            continue;
        struct raft_fact fact = {.kind = kinds[i].fact, .text = *text ? text : NULL};
        mark_fill(&fact, value[0], value[1], value[2]);
        entry_text(fact.entry.text, sizeof fact.entry.text, text, length);
        walk_fact(w, &adapter_mark, at, &fact);
        return;
    }
}

static void mark(void *state, struct walk *w, const struct trace_event *event, const struct flow_at *at)
{
    char text[DRD_MARK_TEXT_MAX + 1] = "", id[24];
    struct trace_bytes words = event->field_bytes[4];
    int64_t kind = event->field[0];
    uint64_t value[3] = {(uint64_t)event->field[1], (uint64_t)event->field[2], (uint64_t)event->field[3]};
    size_t length = !words.data ? 0 : words.length < DRD_MARK_TEXT_MAX ? words.length : DRD_MARK_TEXT_MAX;
    (void)state;
    if (length)
        memcpy(text, words.data, length);
    if (kind == DRD_MARK_NODE) {
        snprintf(id, sizeof id, "%" PRIu64, value[0]);
        walk_node(w, &adapter_mark, at, id);
    } else if (kind == DRD_MARK_READ || kind == DRD_MARK_WRITE || kind == DRD_MARK_RESULT) {
        mark_client(w, at, kind, value, text);
    } else {
        mark_state(w, at, kind, value, text, length);
    }
}

const struct protocol_adapter adapter_mark = {.name = "mark", .mark = mark};
