/* The cluster model on facts made of any bytes: whatever an adapter makes of a hostile stream, the model must stay bounded. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "explain/explain.h"

#define ENTRIES 6

struct source {
    const uint8_t *p, *end;
};

static uint8_t byte(struct source *s)
{
    return s->p < s->end ? *s->p++ : 0;
}

/* Mostly small, sometimes at the edge of what 64 bits hold. */
static uint64_t number(struct source *s)
{
    uint8_t b = byte(s);
    if (b < 0xe0)
        return b % 24;
    if (b < 0xf0)
        return (uint64_t)byte(s) << (byte(s) & 63);
    return UINT64_MAX - b % 4;
}

static void id(struct source *s, char *out)
{
    uint8_t b = byte(s);
    if (b % 8 < 5)
        snprintf(out, RAFT_NODE_NAME, "%d", b % 8);
}

static struct raft_entry entry(struct source *s, uint64_t index)
{
    struct raft_entry e = {.index = index, .term = number(s), .digest = byte(s) % 3, .type = 'c'};
    memset(e.text, byte(s), sizeof e.text - 1);
    return e;
}

static void step(struct raft_model *m, struct source *s, uint64_t sequence)
{
    struct raft_entry entries[ENTRIES];
    struct raft_message message = {.type = byte(s) % (RAFT_OTHER + 1), .term = number(s), .prev_index = number(s),
                                   .prev_term = number(s), .commit = number(s), .match = number(s), .entry = entries};
    uint8_t flags = byte(s);
    struct raft_fact fact = {.kind = byte(s) % 13, .process = byte(s) % 6, .sequence = sequence, .protocol = flags & 1 ? "a" : "b",
                             .durable = flags & 2, .term = number(s), .index = number(s), .role = flags >> 6,
                             .message = flags & 4 ? NULL : &message};
    message.success = !(flags & 8);
    message.pre_vote = (flags & 48) == 48;
    message.entries = byte(s) % (ENTRIES + 1);
    for (size_t i = 0; i < message.entries; i++)
        entries[i] = entry(s, message.prev_index + 1 + i);
    fact.entry = entry(s, number(s));
    id(s, message.from);
    id(s, message.to);
    id(s, fact.peer);
    raft_model_step(m, &fact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"s0", "s1", "s2", "s0", "s1", "s9"};
    static const struct verdict_style plain = {"", "", "", "", "", ""};
    struct source s = {data, data + size};
    struct raft_model *m = raft_model_create();
    struct verdict v;
    for (uint32_t i = 0; m && i < 6; i++)
        raft_model_process(m, i, names[i], i < 3 ? 1 : 2, i * 10, i == 5 ? 0 : i * 10 + 15, true);
    for (uint64_t n = 1; m && s.p < s.end; n++)
        step(m, &s, n);
    FILE *out = fopen("/dev/null", "w");
    if (m && out) {
        raft_model_finish(m);
        verdict_init(&v, m, NULL, 0, "complete");
        verdict_print(&v, "run", &plain, out);
        struct json_writer j;
        jw_init(&j, out);
        verdict_json(&v, "run", &j);
    }
    if (out)
        fclose(out);
    raft_model_destroy(m);
    return 0;
}
