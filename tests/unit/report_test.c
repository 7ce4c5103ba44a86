/* What a report is made of: cleaned text, packed data, and the scene of a recorded failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "lib/check.h"
#include "report/html.h"

static void text_that_steers_becomes_visible(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain \"x=A\" <b>", "plain \"x=A\" <b>"}, {"tab\there", "tab\\x09here"}, {"\x1b[31m",
                                                                                    "\\x1b[31m"}, {"a\xff\xc0\xaf",
                                                                                          "a\\xff\\xc0\\xaf"},
        {"\xe2\x80\xaetxt", "\\u202etxt"}, {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069"}, {"\xef\xbb\xbf",
                                                                                          "\\ufeff"}, {"\xc2\x85", "\\x85"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, {"Grüße, 日本", "Grüße, 日本"}, {"\xf3\xa0\x80\x81", "\\ue0001"}, {"cut \xe2\x80",
                                                                                          "cut \\xe2\\x80"},
    };
    char out[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        html_clean(rows[i].in, out, sizeof out);
        assert_string_equal(out, rows[i].out);
    }
    html_clean("\xe2\x80\xae\xe2\x80\xae", out, 8); /* cut between characters, never within what stands for one */
    assert_string_equal(out, "\\u202e");
}

static void markup_is_escaped(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    html_put(out, "</script><a href='x' title=\"y\">&\x1b");
    fclose(out);
    assert_string_equal(text, "&lt;/script&gt;&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;\\x1b");
    free(text);
}

static size_t base64_decode(const char *text, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = 0;
    for (; *text; text += 4) {
        uint32_t three = 0;
        size_t missing = (text[2] == '=') + (text[3] == '=');
        for (int i = 0; i < 4; i++)
            three = three << 6 | (text[i] == '=' ? 0 : (uint32_t)(strchr(digits, text[i]) - digits));
        for (size_t i = 0; i < 3 - missing; i++)
            out[used++] = (uint8_t)(three >> (16 - 8 * i));
    }
    return used;
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    for (size_t length = 0; length < 5000; length = 3 * length + 1) {
        uint8_t *data = calloc(1, length + 1), *packed = malloc(2 * length + 100), *back = malloc(length + 1);
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        for (size_t i = 0; i < length; i++)
            data[i] = (uint8_t)(i * i >> 3);
        assert_true(html_pack(data, length, out));
        fclose(out);
        assert_int_equal(size % 4, 0);
        z_stream z = {.next_in = packed, .avail_in = (uInt)base64_decode(text, packed), .next_out = back,
                      .avail_out = (uInt)length + 1};
        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, length);
        assert_memory_equal(back, data, length);
        inflateEnd(&z);
        free(text);
        free(data);
        free(packed);
        free(back);
    }
}

/* --- scenes of traces/ --- */

struct stage {
    struct store *store;
    struct store_process *process;
    size_t processes;
    struct raft_model *model;
    struct verdict verdict;
    struct scene scene;
};

static void stage_open(struct stage *s, const char *name, size_t limit)
{
    char path[512], word[64] = "";
    struct drd_error e = {0};
    snprintf(path, sizeof path, "%s/traces/%s.drd", DRD_SOURCE_DIR, name);
    *s = (struct stage){.store = store_open(path, STORE_READ, &e)};
    assert_non_null(s->store);
    assert_true(store_processes(s->store, &s->process, &s->processes, &e));
    s->model = explain_model(s->store, s->process, s->processes, &e);
    assert_non_null(s->model);
    store_fact(s->store, "state", word, sizeof word);
    verdict_init(&s->verdict, s->model, s->process, s->processes, word);
    assert_true(verdict_order(&s->verdict, s->store, &e));
    assert_true(scene_init(&s->scene, &s->verdict, s->store, s->process, s->processes, 0, limit, &e));
}

static void stage_close(struct stage *s)
{
    scene_fini(&s->scene);
    raft_model_destroy(s->model);
    for (size_t i = 0; i < s->processes; i++)
        store_process_fini(&s->process[i]);
    free(s->process);
    store_close(s->store);
}

/* All of a small run is drawn, in an order in which nothing is received before it is sent and no node goes back. */
static void check_order(const struct scene *s)
{
    uint64_t last[SCENE_LANES] = {0};
    uint32_t process[SCENE_LANES] = {0};
    for (size_t i = 0; i < s->events; i++) {
        const struct scene_event *e = &s->event[i];
        if (e->lane >= SCENE_LANES)
            continue;
        if (process[e->lane] == e->process)
            assert_true(e->sequence > last[e->lane]);
        process[e->lane] = e->process;
        last[e->lane] = e->sequence;
    }
    for (size_t i = 0; i < s->messages; i++) {
        const struct scene_message *m = &s->message[i];
        assert_true(m->from != SCENE_NONE || m->to != SCENE_NONE);
        if (m->from != SCENE_NONE && m->to != SCENE_NONE)
            assert_true(m->from < m->to);
        assert_true((m->fate == SCENE_ARRIVED) == (m->to != SCENE_NONE));
    }
}

static void check_steps(const struct stage *s)
{
    for (size_t i = 0; i < s->verdict.cause.steps; i++) {
        const struct raft_witness *at = &s->verdict.cause.step[i].at;
        uint32_t found = scene_find(&s->scene, at->process, at->sequence);
        assert_int_not_equal(found, SCENE_NONE);
        assert_int_equal(s->scene.event[found].sequence, at->sequence);
        assert_int_not_equal(s->scene.event[found].place, SCENE_NONE);
    }
}

static void every_step_is_drawn(void **state)
{
    static const size_t limits[] = {SCENE_DRAWN, 200, 60};
    char name[8];
    (void)state;
    for (int i = 1; i <= 25; i++) {
        for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
            struct stage s;
            snprintf(name, sizeof name, "T%02d", i);
            stage_open(&s, name, limits[k]);
            assert_true(s.scene.drawn <= limits[k]);
            assert_true(s.scene.drawn > 20);
            check_order(&s.scene);
            check_steps(&s);
            stage_close(&s);
        }
    }
}

static uint64_t count(const struct scene *s, enum scene_kind kind)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->events; i++)
        sum += s->event[i].kind == kind;
    return sum;
}

/* Figure 8 on libraft: three are cut off, timers fire after their draws. */
static void figure_8_has_all_kinds(void **state)
{
    struct stage s;
    (void)state;
    stage_open(&s, "T07", SCENE_DRAWN);
    assert_int_equal(s.scene.lanes, 3);
    assert_string_equal(s.scene.lane[0].name, "s0");
    assert_true(count(&s.scene, SCENE_TIMER) >= 4);
    assert_true(count(&s.scene, SCENE_DRAW) >= 4);
    assert_true(count(&s.scene, SCENE_CUT) >= 3);
    assert_true(count(&s.scene, SCENE_DISK) >= 10);
    assert_true(count(&s.scene, SCENE_CANDIDATE) >= 4);
    assert_int_equal(count(&s.scene, SCENE_START), 3);
    assert_true(count(&s.scene, SCENE_END) + count(&s.scene, SCENE_CRASH) == 3);
    assert_int_equal(s.scene.log.divergent, 2);
    assert_true(s.scene.in_cone < s.scene.drawn);
    stage_close(&s);
}

static uint64_t messages(const char *run, enum scene_fate fate, bool delayed)
{
    struct stage s;
    uint64_t sum = 0;
    stage_open(&s, run, SCENE_DRAWN);
    for (size_t i = 0; i < s.scene.messages; i++)
        sum += s.scene.message[i].fate == fate && s.scene.message[i].delayed == delayed;
    stage_close(&s);
    return sum;
}

/* T06: a leader goes on sending to who is cut off. T15: one message waits for the end of a cut. */
static void what_was_lost_and_what_took_long(void **state)
{
    (void)state;
    assert_int_equal(messages("T07", SCENE_LOST, false), 0);
    assert_true(messages("T06", SCENE_LOST, false) >= 3);
    assert_int_equal(messages("T15", SCENE_ARRIVED, true), 1);
    assert_true(messages("T15", SCENE_ARRIVED, false) > 20);
    assert_true(messages("T05", SCENE_UNSEEN, false) > 0); /* to clients that are not recorded */
}

/* The logs as they were when the violation was complete: the entries that the verdict names are in the rows. */
static void the_logs_differ_where_the_verdict_says(void **state)
{
    struct stage s;
    const struct scene_change *now[SCENE_LANES] = {NULL};
    (void)state;
    stage_open(&s, "T07", SCENE_DRAWN);
    const struct scene_log *log = &s.scene.log;
    for (size_t i = 0; i < log->changes && log->change[i].order <= s.verdict.finding->order; i++) {
        if (log->first + log->change[i].row == 2)
            now[log->change[i].lane] = &log->change[i];
    }
    assert_non_null(now[0]);
    assert_non_null(now[1]);
    assert_int_equal(log->entry[now[0]->entry].term, 2);
    assert_int_equal(log->entry[now[1]->entry].term, 5);
    assert_string_equal(scene_text(&s.scene, log->entry[now[0]->entry].text), "x=A");
    assert_string_equal(scene_text(&s.scene, log->entry[now[1]->entry].text), "x=B");
    assert_true(now[0]->applied && now[1]->applied);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_steers_becomes_visible),
        cmocka_unit_test(markup_is_escaped),
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(every_step_is_drawn),
        cmocka_unit_test(figure_8_has_all_kinds),
        cmocka_unit_test(what_was_lost_and_what_took_long),
        cmocka_unit_test(the_logs_differ_where_the_verdict_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
