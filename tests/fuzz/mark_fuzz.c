/* Fuzz target: marks, from the record that a node's stream has of each to the facts, the model and the words. A node states
 * what it likes, and who only has its recording has the bytes of somebody else.
 *
 * Input: marks one after another. Each is
 *   byte 0   the node, 0 to 2 (modulo 3); bit 7: the record has no text at all
 *   byte 1   the kind, as signed number
 *   a, b, c  a byte below 0xf0 is the number; else 8 bytes follow that are
 *   length   a byte; 0xff: two bytes follow that are
 *   the text, as long as that or to the end of the input */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "protocol/walk.h"

#define NODES 3
#define MARKS 4096 /* in one input: the time it takes is in proportion to them */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p, *end;
    uint64_t sequence[NODES + 1];
};

static uint64_t number(struct input *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && in->p < in->end; i++)
        value |= (uint64_t)*in->p++ << 8 * i;
    return value;
}

static int64_t argument(struct input *in)
{
    uint64_t first = number(in, 1);
    return (int64_t)(first < 0xf0 ? first : number(in, 8));
}

/* The text is a copy of its own, with nothing behind it: reading on is found out. */
static bool mark(struct input *in, struct walk *w)
{
    uint8_t who = (uint8_t)number(in, 1);
    struct trace_event event = {.code = TRACE_MARK, .process = who % 128 % NODES + 1, .fields = 5,
                                .field = {(int8_t)number(in, 1), argument(in), argument(in), argument(in)}};
    size_t length = number(in, 1), left;
    length = length == 0xff ? number(in, 2) : length;
    left = (size_t)(in->end - in->p);
    length = length < left ? length : left;
    uint8_t *text = who & 128 ? NULL : malloc(length);
    if (text && length)
        memcpy(text, in->p, length);
    in->p += length;
    event.sequence = ++in->sequence[event.process];
    event.field_bytes[4] = (struct trace_bytes){text, text ? (uint32_t)length : 0};
    bool good = walk_event(w, &event);
    free(text);
    return good;
}

static void told(void *context, const struct raft_fact *fact)
{
    if (strlen(fact->peer) >= sizeof fact->peer || strlen(fact->entry.text) >= sizeof fact->entry.text)
        abort();
    if (fact->message && (strlen(fact->message->key) >= sizeof fact->message->key || !fact->message->request[0]))
        abort();
    raft_model_step(context, fact);
}

static void judge(struct raft_model *m)
{
    static const struct verdict_style plain = {"", "", "", "", "", "", false};
    struct verdict v;
    struct verdict_fingerprint f;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    raft_model_finish(m);
    verdict_init(&v, m, NULL, 0, "complete");
    verdict_fingerprint(&v, &f);
    if (out) {
        verdict_print(&v, "run", &plain, out);
        fclose(out);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[NODES] = {"n1", "n2", "n3"};
    struct raft_model *m = raft_model_create();
    const struct walk_listener listener = {.context = m, .fact = told};
    struct walk *w = m ? walk_create(&listener) : NULL;
    struct input in = {.p = data, .end = data + size};
    for (uint32_t i = 0; w && i < NODES; i++)
        raft_model_process(m, i + 1, names[i], 1, i, 0, true);
    for (unsigned n = 0; w && n < MARKS && in.p < in.end && mark(&in, w); n++)
        ;
    if (w)
        judge(m);
    walk_destroy(w);
    raft_model_destroy(m);
    return 0;
}
