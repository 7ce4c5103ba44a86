/* Groups, baselines and flaky tests; fingerprints that stay; and text of nodes that stays text in every format. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "explain/explain.h"
#include "lib/check.h"
#include "lib/facts.h"
#include "report/triage.h"

/* --- runs by hand --- */

#define RUNS 64

static struct triage_run *run_add(struct triage *t, enum triage_kind kind, const char *fingerprint, uint64_t events)
{
    if (!t->run)
        t->run = calloc(RUNS, sizeof *t->run);
    struct triage_run *run = &t->run[t->runs++];
    struct triage_result *r = &run->result;
    snprintf(run->path, sizeof run->path, "/somewhere/%zu.drd", t->runs);
    snprintf(run->name, sizeof run->name, "%zu.drd", t->runs);
    r->kind = kind;
    r->events = events;
    r->judged = true;
    r->red = triage_kinds[kind].failure;
    snprintf(r->fingerprint, sizeof r->fingerprint, "%s", fingerprint);
    snprintf(r->title, sizeof r->title, "title of %s", fingerprint);
    snprintf(r->started, sizeof r->started, "2026-11-23T18:00:%02zuZ", t->runs);
    snprintf(r->command, sizeof r->command, "sh test.sh");
    return run;
}

static void group(struct triage *t)
{
    struct drd_error e = {0};
    assert_true(triage_group_all(t, &e));
}

static void known(struct triage *t, const char *text)
{
    struct drd_error e = {0};
    char file[] = "/tmp/drd-known-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_true(triage_known(t, file, &e));
    unlink(file);
}

static char *printed(const struct triage *t, void (*print)(const struct triage *t, FILE *out), size_t *size)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    print(t, out);
    fclose(out);
    if (size)
        *size = length;
    return text;
}

/* --- groups --- */

static void runs_of_one_fingerprint_are_a_group(void **state)
{
    struct triage t = {0};
    (void)state;
    run_add(&t, TRIAGE_RULE, "2:cccccc-T06", 9);
    run_add(&t, TRIAGE_VIOLATION, "2:aaaaaa-T07", 30);
    run_add(&t, TRIAGE_HEALTHY, "", 1);
    run_add(&t, TRIAGE_VIOLATION, "2:bbbbbb-T01", 5);
    run_add(&t, TRIAGE_RULE, "2:aaaaaa-T07", 2);
    run_add(&t, TRIAGE_VIOLATION, "2:aaaaaa-T07", 20);
    run_add(&t, TRIAGE_BROKEN, "", 0);
    group(&t);
    assert_int_equal(t.groups, 3);
    assert_string_equal(t.group[0].least->result.fingerprint, "2:aaaaaa-T07"); /* the largest */
    assert_int_equal(t.group[0].runs, 3);
    assert_string_equal(t.group[0].least->name, "6.drd"); /* the smallest that shows the violation */
    assert_string_equal(t.group[0].run[0]->name, "2.drd"); /* seen first */
    assert_string_equal(t.group[0].run[2]->name, "6.drd");
    assert_string_equal(t.group[1].least->result.fingerprint, "2:bbbbbb-T01");
    assert_string_equal(triage_state(&t, &t.group[2]), "rule");
    assert_int_equal(triage_new(&t), 2);
    assert_int_equal(triage_exit(&t), 1);
    assert_int_equal(t.count[TRIAGE_HEALTHY], 1);
    triage_fini(&t);
}

static void what_is_known_is_not_new(void **state)
{
    struct triage t = {0};
    (void)state;
    run_add(&t, TRIAGE_VIOLATION, "2:aaaaaa-T07", 1);
    run_add(&t, TRIAGE_CHECK, "2:bbbbbb-CHECK", 1);
    group(&t);
    known(&t, "# ticket 7\n\n  2:aaaaaa-T07  since May\r\n1:aaaaaa-T07\n2:dddddd-T01\n");
    assert_int_equal(t.other_algorithm, 1);
    assert_int_equal(triage_new(&t), 1);
    assert_string_equal(t.group[0].least->result.fingerprint, "2:bbbbbb-CHECK"); /* new before known, although less bad */
    assert_string_equal(triage_state(&t, &t.group[1]), "known");
    known(&t, "2:bbbbbb-CHECK");
    assert_int_equal(triage_exit(&t), 0);
    triage_fini(&t);
}

static void a_broken_rule_is_a_failure_if_asked_for(void **state)
{
    struct triage t = {0};
    (void)state;
    run_add(&t, TRIAGE_RULE, "2:aaaaaa-T06", 1);
    group(&t);
    assert_int_equal(triage_exit(&t), 0);
    t.strict = true;
    assert_int_equal(triage_exit(&t), 1);
    triage_fini(&t);
}

static void nothing_judged_is_no_success(void **state)
{
    struct triage t = {0};
    (void)state;
    run_add(&t, TRIAGE_BROKEN, "", 0);
    group(&t);
    assert_int_equal(triage_exit(&t), 125);
    triage_fini(&t);
    run_add(&t, TRIAGE_BROKEN, "", 0);
    run_add(&t, TRIAGE_HEALTHY, "", 0);
    group(&t);
    assert_int_equal(triage_exit(&t), 0);
    triage_fini(&t);
}

static void flaky_is_red_and_green_of_one_commit(void **state)
{
    struct triage t = {0};
    (void)state;
    snprintf(run_add(&t, TRIAGE_VIOLATION, "2:aaaaaa-T07", 1)->result.commit, 8, "c0ffee");
    snprintf(run_add(&t, TRIAGE_HEALTHY, "", 1)->result.commit, 8, "c0ffee");
    snprintf(run_add(&t, TRIAGE_CHECK, "2:bbbbbb-CHECK", 1)->result.commit, 8, "decade");
    snprintf(run_add(&t, TRIAGE_HEALTHY, "", 1)->result.command, 8, "other"); /* another test, of no commit */
    group(&t);
    assert_true(t.group[0].flaky);
    assert_false(t.group[1].flaky);
    triage_fini(&t);
}

/* --- fingerprints --- */

static void phrase(const struct raft_model *m, const char *text, const char *expected)
{
    char out[200];
    fingerprint_phrase(m, text, out, sizeof out);
    assert_string_equal(out, expected);
}

static void a_phrase_is_what_does_not_belong_to_the_run(void **state)
{
    struct facts f;
    (void)state;
    facts_init(&f, 3);
    facts_vote(&f, 0, 1, 1);
    facts_vote(&f, 2, 1, 1);
    phrase(f.model, "s0 voted for s2 in term 12, in which it had voted for itself",
           "NODE voted for NODE in term N, in which it had voted for NODE");
    phrase(f.model, "s2 voted for s1 in term 7, in which it had voted for s0",
           "NODE voted for NODE in term N, in which it had voted for NODE");
    phrase(f.model, "took it 17.2 ms after 3 s.", "took it N after N.");
    phrase(f.model, "committed \"a \\\" 12\" (term 4)", "committed Q (term N)");
    phrase(f.model, "raft.c:1523: commit: Assertion `n == 17' failed.", "raft.c:N: commit: Assertion `n == N' failed.");
    phrase(f.model, "cannot open /tmp/x81/wal of 6ba7b810-9dad-11d1-80b4-00c04fd430c8", "cannot open PATH of N");
    phrase(f.model, "an open \" quote", "an open \" quote");
    phrase(NULL, "", "");
    facts_fini(&f);
}

/* The same vote, twice in a term, by other nodes, in other terms, with a violation or without. */
static void vote_twice(struct verdict_fingerprint *out, unsigned voter, unsigned one, unsigned other, uint64_t term)
{
    struct facts f;
    struct verdict v;
    facts_init(&f, 3);
    facts_vote(&f, voter, one, term);
    facts_vote(&f, voter, other, term);
    verdict_init(&v, f.model, NULL, 0, "complete");
    assert_true(verdict_fingerprint(&v, out));
    facts_fini(&f);
}

static void nodes_and_terms_do_not_change_a_fingerprint(void **state)
{
    struct verdict_fingerprint a, b;
    (void)state;
    vote_twice(&a, 0, 1, 2, 3);
    vote_twice(&b, 2, 0, 1, 41);
    assert_string_equal(a.text, b.text);
    assert_string_equal(a.value, b.value);
    assert_string_equal(a.value + 6, "-T01");
}

static struct raft_break *mutable_break(struct facts *f)
{
    assert_int_equal(f->model->breaks, 1);
    return &f->model->rule_break[0];
}

/* What is told of a mistake may be told in other words: baselines written before stay good. The value is that of a baseline. */
static void words_do_not_change_a_fingerprint(void **state)
{
    struct verdict_fingerprint a, b, c;
    struct facts f;
    struct verdict v;
    (void)state;
    facts_init(&f, 3);
    facts_vote(&f, 0, 1, 3);
    facts_vote(&f, 0, 2, 3);
    verdict_init(&v, f.model, NULL, 0, "complete");
    assert_true(verdict_fingerprint(&v, &a));
    snprintf(mutable_break(&f)->text, RAFT_WORDS, "what it did, said in quite another way");
    assert_true(verdict_fingerprint(&v, &b));
    mutable_break(&f)->shape = "another";
    assert_true(verdict_fingerprint(&v, &c));
    assert_string_equal(a.text, "T01; second");
    assert_string_equal(a.value, b.value);
    assert_string_not_equal(a.value, c.value);
    assert_null(strstr(a.text, raft_classes[RAFT_T01].title));
    facts_fini(&f);
}

static bool is_id(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz-") == strlen(text);
}

static void properties_are_named_by_ids(void **state)
{
    struct verdict_fingerprint f;
    struct verdict v = {0};
    (void)state;
    for (size_t i = 0; i < RAFT_PROPERTY_COUNT; i++) {
        const struct raft_finding finding = {.property = (enum raft_property)i};
        char expected[80];
        v.finding = &finding;
        assert_true(is_id(raft_property_names[i].id));
        assert_true(verdict_fingerprint(&v, &f));
        snprintf(expected, sizeof expected, "%s; cause unknown", raft_property_names[i].id);
        assert_string_equal(f.text, expected);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(raft_property_names[i].id, raft_property_names[k].id);
    }
}

/* --- hangs --- */

#define SECOND 1000000000ul

/* Node 0 leads and speaks at `second`, with one entry after `previous`. */
static void leader_speaks(struct facts *f, struct progress_watch *w, uint64_t second, uint64_t previous, uint64_t commit)
{
    const struct raft_entry entry = {.index = previous + 1, .term = 1};
    struct raft_message m = facts_message(RAFT_APPEND_ENTRIES, 0, 1, 1);
    m.prev_index = previous;
    m.commit = commit;
    m.entries = 1;
    m.entry = &entry;
    struct raft_fact fact = {.kind = RAFT_FACT_SENT, .time = second * SECOND, .message = &m, .protocol = "raftkv"};
    facts_tell(f, 0, &fact);
    progress_feed(w, &fact);
}

static void asks_for_votes(struct facts *f, struct progress_watch *w, uint64_t second, uint64_t term)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, 1, 2, term);
    struct raft_fact fact = {.kind = RAFT_FACT_SENT, .time = second * SECOND, .message = &m, .protocol = "raftkv"};
    facts_tell(f, 1, &fact);
    progress_feed(w, &fact);
}

/* It is cut off, and asks nobody; its term shows that it stands. */
static void stands_alone(struct progress_watch *w, uint64_t second, uint64_t term)
{
    struct raft_fact fact = {.kind = RAFT_FACT_TERM, .time = second * SECOND, .term = term, .protocol = "raftkv", .durable = true};
    progress_feed(w, &fact);
}

static void says(const struct facts *f, const struct progress_watch *w, uint64_t end, bool timed_out, const char *expected)
{
    uint64_t ns;
    const char *said = progress_hang(w, f->model, end * SECOND, timed_out, &ns);
    if (expected)
        assert_string_equal(said, expected);
    else
        assert_null(said);
}

static void a_hang_is_told_by_what_kept_the_cluster(void **state)
{
    struct facts f;
    struct progress_watch w = {0};
    (void)state;
    facts_init(&f, 3);
    for (size_t i = 0; i < f.model->processes; i++)
        f.model->process[i].start = f.model->process[i].end = 0; /* from before the first fact, to no known end */
    leader_speaks(&f, &w, 10, 1, 1);
    says(&f, &w, 13, false, NULL);
    says(&f, &w, 13, true, "no leader, and no election");
    leader_speaks(&f, &w, 29, 1, 1);
    says(&f, &w, 30, false, "a leader, and nothing committed");
    leader_speaks(&f, &w, 31, 0, 1);
    leader_speaks(&f, &w, 32, 1, 2); /* all that it had is committed now */
    says(&f, &w, 34, false, NULL);
    leader_speaks(&f, &w, 40, 0, 2);
    says(&f, &w, 42, false, NULL);
    for (uint64_t i = 0; i < 4; i++)
        asks_for_votes(&f, &w, 43 + i, 2 + i);
    says(&f, &w, 48, false, "election after election, and no leader");
    leader_speaks(&f, &w, 47, 1, 2); /* of term 1: nobody heeds it */
    says(&f, &w, 48, false, "election after election, and no leader");
    leader_speaks(&f, &w, 49, 2, 3);
    says(&f, &w, 50, false, NULL);
    says(&f, &w, 55, false, "election after election, and no leader");
    w.elections = 0;
    says(&f, &w, 55, false, "no leader, and no election");
    for (uint64_t i = 0; i < 3; i++)
        stands_alone(&w, 51, 9 + i);
    stands_alone(&w, 52, 11);
    says(&f, &w, 55, false, "election after election, and no leader");
    facts_fini(&f);
}

/* --- escaping --- */

static void escaped(void (*escape)(const char *text, FILE *out), const char *text, const char *expected)
{
    char *got = NULL;
    size_t size;
    FILE *out = open_memstream(&got, &size);
    escape(text, out);
    fclose(out);
    assert_string_equal(got, expected);
    free(got);
}

static void xml(void **state)
{
    (void)state;
    escaped(escape_xml, "a<b>&\"'c", "a&lt;b&gt;&amp;&quot;&#39;c");
    escaped(escape_xml, "]]>", "]]&gt;");
    escaped(escape_xml, "\x1b[31m\x01\x7f", "\xef\xbf\xbd[31m\xef\xbf\xbd\x7f");
    escaped(escape_xml, "\xff\xc3(\xe2\x82\xac\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd(\xe2\x82\xac\xef\xbf\xbd");
    escaped(escape_xml, "one\ntwo\tthree", "one\ntwo\tthree");
}

static void markdown(void **state)
{
    (void)state;
    escaped(escape_markdown, "| a *b* `c` <script>", "\\| a \\*b\\* \\`c\\` &lt;script&gt;");
    escaped(escape_markdown, "[x](y)\n# h", "\\[x\\]\\(y\\) &#35; h");
    escaped(escape_markdown, "@user &lt; \xff", "&#64;user &amp;lt; \xef\xbf\xbd");
    escaped(escape_code, "plain <b>", "`plain <b>`");
    escaped(escape_code, "a ``b` c", "``` a ``b` c ```");
    escaped(escape_code, "`", "`` ` ``");
    escaped(escape_code, "two\nlines", "`two lines`");
}

static void annotations(void **state)
{
    (void)state;
    escaped(escape_annotation, "100%, a: b\r\nc::error::", "100%25, a: b%0D%0Ac::error::");
    escaped(escape_property, "100%, a: b\r\n", "100%25%2C a%3A b%0D%0A");
    escaped(escape_annotation, "\x1b[2J\xff", " [2J\xef\xbf\xbd");
    escaped(escape_terminal, "a\x1b]0;x\x07" "b\xc2\x9b", "a\xef\xbf\xbd]0;x\xef\xbf\xbd" "b\xef\xbf\xbd");
}

/* --- outputs --- */

static void at_most_ten_annotations_a_line_each(void **state)
{
    struct triage t = {0};
    char fingerprint[TRIAGE_FINGERPRINT], *text;
    size_t lines = 0;
    (void)state;
    for (int i = 0; i < 13; i++) {
        snprintf(fingerprint, sizeof fingerprint, "2:%06x-T07", i);
        struct triage_result *r = &run_add(&t, TRIAGE_VIOLATION, fingerprint, 1)->result;
        snprintf(r->story, sizeof r->story, "said \"\n::error::no\"\r and 100%%");
        snprintf(r->title, sizeof r->title, "one, two: three\n");
    }
    group(&t);
    text = printed(&t, triage_github, NULL);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        assert_memory_equal(line, "::error title=Raft violated%3A one%2C two%3A three%0A::said ", 60);
        assert_null(strchr(line, '\r'));
    }
    assert_int_equal(lines, 10);
    free(text);
    triage_fini(&t);
}

static void markdown_stays_under_its_limit(void **state)
{
    struct triage t = {0};
    struct triage_run *many = calloc(5000, sizeof *many);
    size_t size;
    (void)state;
    t.run = many;
    for (int i = 0; i < 5000; i++) {
        char fingerprint[TRIAGE_FINGERPRINT];
        snprintf(fingerprint, sizeof fingerprint, "2:%06x-T07", i);
        bool failed = i < 4000;
        struct triage_run *run = run_add(&t, failed ? TRIAGE_VIOLATION : TRIAGE_BROKEN, failed ? fingerprint : "", 1);
        struct triage_result *r = &run->result;
        memset(r->story, '<', sizeof r->story - 1); /* four bytes each */
        memset(r->note, '`', sizeof r->note - 1);
    }
    group(&t);
    char *text = printed(&t, triage_markdown, &size);
    assert_in_range(size, TRIAGE_MARKDOWN_MAX / 2, TRIAGE_MARKDOWN_MAX);
    assert_non_null(strstr(text, "## drd triage: 4000 new failures in 5000 runs"));
    assert_non_null(strstr(text, "more groups did not fit"));
    assert_null(strstr(text, "<"));
    free(text);
    triage_fini(&t);
}

static void json_tells_all(void **state)
{
    struct triage t = {0};
    json_error_t error;
    (void)state;
    snprintf(run_add(&t, TRIAGE_VIOLATION, "2:aaaaaa-T07", 7)->result.story, 40, "\xff \"quoted\"\n");
    run_add(&t, TRIAGE_HEALTHY, "", 1)->result.exit_status = -1;
    group(&t);
    char *text = printed(&t, triage_json, NULL);
    json_t *root = json_loads(text, 0, &error);
    assert_non_null(root);
    json_t *first = json_array_get(json_object_get(root, "groups"), 0);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "drd.triage/1");
    assert_int_equal(json_integer_value(json_object_get(root, "exit")), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(first, "fingerprint"), "value")), "2:aaaaaa-T07");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "fingerprint"), "algorithm")), 2);
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "runs"), 1), "exit_status")));
    json_decref(root);
    free(text);
    triage_fini(&t);
}

static void a_name_is_quoted_for_the_shell(void **state)
{
    struct triage_run run = {0};
    char line[2 * PATH_MAX];
    (void)state;
    snprintf(run.name, sizeof run.name, "it's a run.drd");
    snprintf(run.result.node, sizeof run.result.node, "n1");
    snprintf(run.result.event, sizeof run.result.event, "n1@17");
    triage_reproduce(&run, line, sizeof line);
    assert_string_equal(line, "drd replay 'it'\\''s a run.drd' --node n1 --until n1@17 --gdb");
    run.result.event[0] = '\0';
    snprintf(run.name, sizeof run.name, "7f3a9c1");
    triage_reproduce(&run, line, sizeof line);
    assert_string_equal(line, "drd replay 7f3a9c1");
}

/* --- the cache --- */

static void an_entry_that_is_not_whole_is_none(void **state)
{
    struct triage_key key = {.fast = "p-1", .content = "c-1"};
    struct triage_result in = {.kind = TRIAGE_CRASH, .title = "a title"}, out;
    char dir[256];
    (void)state;
    scratch_enter(dir, sizeof dir);
    assert_false(triage_cache_get("cache/deep", &key, "x.drd", false, &out));
    triage_cache_put("cache/deep", &key, &in);
    assert_true(triage_cache_get("cache/deep", &key, "x.drd", false, &out));
    assert_int_equal(out.kind, TRIAGE_CRASH);
    assert_string_equal(out.title, "a title");
    FILE *f = fopen("cache/deep/p-1", "r+");
    assert_non_null(f);
    fseek(f, 200, SEEK_SET);
    fputc('!', f);
    fclose(f);
    assert_false(triage_cache_get("cache/deep", &key, "x.drd", false, &out));
    assert_int_equal(truncate("cache/deep/p-1", 100), 0);
    assert_false(triage_cache_get("cache/deep", &key, "x.drd", false, &out));
    scratch_leave(dir);
}

static void entry_of(const char *name, int64_t days, int64_t now)
{
    char path[96];
    struct timespec times[2] = {{.tv_sec = now - days * 86400}, {.tv_sec = now - days * 86400}};
    snprintf(path, sizeof path, "cache/%s", name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool has_entry(const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "cache/%s", name);
    return access(path, F_OK) == 0;
}

static void what_is_not_used_goes(void **state)
{
    const int64_t now = 1800000000;
    char dir[256];
    (void)state;
    scratch_enter(dir, sizeof dir);
    assert_int_equal(mkdir("cache", 0700), 0);
    entry_of("c-00ff-1", 31, now);
    entry_of("p-00ff-1", 29, now);
    entry_of("c-0aff-2", 29, now);
    entry_of("draft-abcdef", 1, now);
    entry_of("draft-ABCDEF", 0, now);
    entry_of("notes.txt", 400, now); /* somebody else's */
    entry_of("p-notes.txt", 400, now);
    assert_int_equal(mkdir("cache/c-00", 0700), 0);
    triage_cache_prune("cache", now, 100);
    assert_false(has_entry("c-00ff-1"));
    assert_false(has_entry("draft-abcdef"));
    assert_true(has_entry("p-00ff-1") && has_entry("c-0aff-2") && has_entry("draft-ABCDEF"));
    entry_of("p-01", 3, now);
    entry_of("c-01", 3, now);
    entry_of("c-02", 2, now);
    triage_cache_prune("cache", now, 3); /* by path first, then the least used */
    assert_false(has_entry("p-00ff-1") || has_entry("c-0aff-2"));
    assert_true(has_entry("p-01") && has_entry("c-01") && has_entry("c-02"));
    triage_cache_prune("cache", now, 2);
    assert_false(has_entry("p-01"));
    assert_true(has_entry("c-01") && has_entry("c-02"));
    assert_true(has_entry("notes.txt") && has_entry("p-notes.txt") && has_entry("c-00"));
    triage_cache_prune("nowhere", now, 0);
    scratch_leave(dir);
}

/* To be asked for is to be of use; the second time on a day nothing is written. */
static void an_entry_that_is_asked_for_stays(void **state)
{
    struct triage_key key = {.fast = "p-1", .content = "c-1"};
    struct triage_result in = {.kind = TRIAGE_CRASH}, out;
    struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    struct stat first, second;
    char dir[256];
    (void)state;
    scratch_enter(dir, sizeof dir);
    triage_cache_put("cache", &key, &in);
    assert_int_equal(utimensat(AT_FDCWD, "cache/c-1", old, 0), 0);
    assert_true(triage_cache_get("cache", &key, "x.drd", false, &out));
    assert_int_equal(stat("cache/c-1", &first), 0);
    assert_true(first.st_mtim.tv_sec > 1000000);
    assert_true(triage_cache_get("cache", &key, "x.drd", false, &out));
    assert_int_equal(stat("cache/c-1", &second), 0);
    assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
    scratch_leave(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_one_fingerprint_are_a_group),
        cmocka_unit_test(what_is_known_is_not_new),
        cmocka_unit_test(a_broken_rule_is_a_failure_if_asked_for),
        cmocka_unit_test(nothing_judged_is_no_success),
        cmocka_unit_test(flaky_is_red_and_green_of_one_commit),
        cmocka_unit_test(a_phrase_is_what_does_not_belong_to_the_run),
        cmocka_unit_test(nodes_and_terms_do_not_change_a_fingerprint),
        cmocka_unit_test(words_do_not_change_a_fingerprint),
        cmocka_unit_test(properties_are_named_by_ids),
        cmocka_unit_test(a_hang_is_told_by_what_kept_the_cluster),
        cmocka_unit_test(xml),
        cmocka_unit_test(markdown),
        cmocka_unit_test(annotations),
        cmocka_unit_test(at_most_ten_annotations_a_line_each),
        cmocka_unit_test(markdown_stays_under_its_limit),
        cmocka_unit_test(json_tells_all),
        cmocka_unit_test(a_name_is_quoted_for_the_shell),
        cmocka_unit_test(an_entry_that_is_not_whole_is_none),
        cmocka_unit_test(what_is_not_used_goes),
        cmocka_unit_test(an_entry_that_is_asked_for_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
