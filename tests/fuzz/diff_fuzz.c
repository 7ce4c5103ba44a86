/* Two hostile gathered runs, compared and printed; and two hostile sequences, aligned: what is matched is equal and ascends,
 * and the work is bounded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff/align.h"
#include "diff/diff.h"

#define LONGEST 60000 /* elements of a sequence: some windows */
#define FACTS 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *at, *end;
};

static uint64_t take(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

/* Small, or anything at all. */
static uint64_t take_number(struct bytes *b)
{
    uint64_t first = take(b);
    return first < 224 ? first % 16 : first << (take(b) % 64);
}

/* --- sequences --- */

struct sequences {
    uint64_t *element[2];
    size_t count[2], next[2]; /* next: behind the last match */
    uint64_t calls;
};

/* Runs of one element, of elements that rise, of some few in turn: a byte says which, two how long. */
static size_t sequence_make(struct bytes *b, uint64_t *out)
{
    size_t count = 0;
    unsigned pieces = (unsigned)take(b) % 12;
    while (pieces--) {
        unsigned kind = (unsigned)take(b);
        size_t length = (size_t)(take(b) << 8 | take(b)) % 20000;
        uint64_t from = take_number(b);
        for (size_t i = 0; i < length && count < LONGEST; i++)
            out[count++] = kind % 3 == 0 ? from : kind % 3 == 1 ? (from + i) * 0x9e3779b97f4a7c15u : (from + i) % (kind + 1);
    }
    return count;
}

static uint64_t element(void *context, int side, size_t at)
{
    struct sequences *s = context;
    s->calls++;
    if (at >= s->count[side])
        abort();
    return s->element[side][at];
}

static bool on_match(void *context, size_t x, size_t y)
{
    struct sequences *s = context;
    if (x < s->next[0] || y < s->next[1] || x >= s->count[0] || y >= s->count[1] || s->element[0][x] != s->element[1][y])
        abort();
    s->next[0] = x + 1;
    s->next[1] = y + 1;
    return true;
}

static void fuzz_align(struct bytes *b)
{
    struct sequences s = {.calls = 0};
    for (int side = 0; side < 2; side++) {
        s.element[side] = malloc(LONGEST * sizeof *s.element[side]);
        s.count[side] = s.element[side] ? sequence_make(b, s.element[side]) : 0;
    }
    const struct align_source source = {&s, {s.count[0], s.count[1]}, element, on_match};
    if (!align_long(&source) || s.calls > 64 * (s.count[0] + s.count[1]) + 64 * ALIGN_WINDOW)
        abort();
    free(s.element[0]);
    free(s.element[1]);
}

/* --- runs --- */

static void fact_take(struct bytes *b, uint64_t sequence, struct diff_run *run)
{
    static const char *const protocols[] = {"mark", "raftkv", "ovsdb", "libraft"};
    static const char *const texts[] = {"", "1 2 3", "1 2*|3", "cut", "heal", "x=A", "5d2a1b6c-0000-4000-8000-111111111111"};
    char text[48];
    struct raft_entry entry = {.term = take_number(b), .type = "cnm?"[take(b) % 4]};
    struct raft_message m = {.type = (enum raft_type)(take(b) % (RAFT_CLIENT_RESULT + 1)), .term = take_number(b),
                             .prev_index = take_number(b), .prev_term = take_number(b), .commit = take_number(b),
                             .match = take_number(b), .entry = &entry};
    struct raft_fact fact = {.kind = (enum raft_fact_kind)(take(b) % (RAFT_FACT_TEXT + 1)), .sequence = sequence,
                             .process = (uint32_t)(take(b) % 5), .term = take_number(b), .index = take_number(b),
                             .time = sequence * 1000000, .role = (int)(take(b) % 4)};
    unsigned flags = (unsigned)take(b);
    entry.index = m.prev_index + 1;
    entry.digest = take(b);
    snprintf(entry.text, sizeof entry.text, "%s", texts[take(b) % 7]);
    snprintf(m.from, sizeof m.from, "%u", (unsigned)take(b) % 5);
    snprintf(m.to, sizeof m.to, "%u", (unsigned)take(b) % 5);
    snprintf(fact.peer, sizeof fact.peer, "%u", (unsigned)take(b) % 6);
    snprintf(text, sizeof text, "%s", texts[take(b) % 7]);
    m.entries = flags & 1;
    m.success = flags & 2;
    m.pre_vote = flags & 4;
    fact.written = flags & 8;
    fact.durable = flags & 16;
    fact.again = flags & 32;
    fact.loaded = flags & 64;
    fact.entry = entry;
    fact.text = text;
    fact.protocol = protocols[take(b) % 4];
    fact.message = fact.kind == RAFT_FACT_SENT || fact.kind == RAFT_FACT_RECEIVED ? &m : NULL;
    diff_run_fact(run, &fact);
}

static void run_take(struct bytes *b, const struct store_process *process, size_t count, struct diff_run *run)
{
    uint64_t sequence = 0;
    if (!diff_run_init(run, process, count))
        abort();
    unsigned facts = (unsigned)(take(b) << 8 | take(b)) % FACTS;
    while (facts-- && b->at < b->end)
        fact_take(b, ++sequence, run);
    diff_run_finish(run);
}

static void print_all(struct diff *d)
{
    struct diff_view v = {.diff = d, .style = {"", "", "", "", "", ""}, .context = 1, .lines = 60};
    struct json_writer j;
    FILE *out = fopen("/dev/null", "w");
    for (int side = 0; side < 2; side++)
        v.name[side] = (struct diff_name){"run", "command", "", "", "complete", ""};
    if (!out)
        return;
    diff_print(&v, out);
    diff_print_stat(&v, out);
    jw_init(&j, out);
    diff_json(&v, &j);
    fclose(out);
}

static void fuzz_runs(struct bytes *b)
{
    static char names[4][3] = {"n1", "n2", "n3", "n2"}, server[] = "/bin/server";
    struct store_process process[4];
    struct diff_run run[2];
    struct diff d;
    char words[300];
    for (uint32_t i = 0; i < 4; i++)
        process[i] = (struct store_process){.number = i + 1, .node = names[i], .incarnation = 1, .exe = server, .start = 1,
                                            .end = i * 1000000000ull, .events = 5000, .status = (int)i};
    unsigned fields = (unsigned)take(b) % 16;
    const struct diff_options options = {.nodes = 0, .fields = fields};
    /* of equal length, so that one of them can be the other */
    struct bytes half = {b->at, b->at + (b->end - b->at) / 2};
    run_take(&half, process, 4, &run[0]);
    half = (struct bytes){b->at + (b->end - b->at) / 2, b->end};
    run_take(&half, process, 4, &run[1]);
    for (int other = 0; other < 2; other++) {
        diff_check(&run[0], &run[other], words, sizeof words);
        if (!diff_init(&d, &run[0], &run[other], &options))
            abort();
        if (!other && (d.first.any || d.lanes))
            abort(); /* a run differs from itself */
        print_all(&d);
        diff_fini(&d);
    }
    diff_run_fini(&run[0]);
    diff_run_fini(&run[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct bytes b = {data + 1, data + size};
    if (data[0] & 1)
        fuzz_align(&b);
    else
        fuzz_runs(&b);
    return 0;
}
