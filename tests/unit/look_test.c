/* drd show and drd log on a run made by hand: what they print, how they refuse. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/check.h"
#include "lib/maker.h"

#define I(n) ((int64_t)(n))
#define SECOND 1000000000ull

static char scratch[PATH_MAX], out[65536];

static struct maker stream[2];

static int make_run(void **state)
{
    (void)state;
    scratch_enter(scratch, sizeof scratch);
    unsetenv("DRD_STORE");
    struct store_process process[2] = {
        { .node = (char *)"n1", .exe = (char *)"/usr/sbin/server", .incarnation = 1, .pid = 100, .start = 10 * SECOND,
          .end = 12 * SECOND, .status = 0, .complete = true },
        { .node = (char *)"n2", .exe = (char *)"/usr/sbin/server", .incarnation = 1, .pid = 101, .start = 10 * SECOND,
          .end = 13 * SECOND, .status = SIGKILL, .incomplete_reason = (char *)"no space left for the spool" },
    };
    memset(stream, 0, sizeof stream);
    maker_record(&stream[0], "ii", I(TRACE_TIME), I(10 * SECOND));
    maker_record(&stream[0], "iibi", I(SYS_write), I(1), "hello\n", (size_t)6, I(6));
    maker_record(&stream[0], "ii", I(TRACE_END), I(0));
    maker_record(&stream[1], "ii", I(TRACE_TIME), I(11 * SECOND));
    maker_record(&stream[1], "iiii", I(SYS_recvfrom), I(7), I(0), I(-11));
    maker_record(&stream[1], "iiiiiiiii", I(TRACE_UNHANDLED), I(450), I(0), I(0), I(0), I(0), I(0), I(0), I(-38));
    maker_run("a.drd", process, stream, 2);
    return 0;
}

static int remove_run(void **state)
{
    (void)state;
    scratch_leave(scratch);
    return 0;
}

static int drd(const char *words)
{
    char line[1024];
    snprintf(line, sizeof line, "'%s/drd' %s 2>&1", DRD_BUILD_DIR, words);
    FILE *p = popen(line, "r");
    out[fread(out, 1, sizeof out - 1, p)] = '\0';
    int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void says(const char *words, int status, const char *wanted)
{
    int got = drd(words);
    assert_string_equal(out, wanted);
    assert_int_equal(got, status);
}

static void log_prints_lines(void **state)
{
    (void)state;
    says("log a.drd", 0, "n1@1        0.000 s  write 1, 6 bytes -> 6  \"hello\\n\"\n"
                         "n1@2        0.000 s  end with status 0\n"
                         "n2@1        1.000 s  recvfrom 7 -> EAGAIN\n"
                         "n2@2        1.000 s  unhandled call 450 -> ENOSYS\n");
    says("log --node n2 --kind 'recv*' a.drd", 0, "n2@1        1.000 s  recvfrom 7 -> EAGAIN\n");
    says("log -g hello a.drd", 0, "n1@1        0.000 s  write 1, 6 bytes -> 6  \"hello\\n\"\n");
    says("log --to n1@1 a.drd", 0, "n1@1        0.000 s  write 1, 6 bytes -> 6  \"hello\\n\"\n");
    says("log --from 0.5 --to 2s --kind recvfrom a.drd", 0, "n2@1        1.000 s  recvfrom 7 -> EAGAIN\n");
    says("log a.drd@n2@2", 0, "n2@2        1.000 s  unhandled call 450 -> ENOSYS\n");
    says("log --kind time --node n1 a.drd", 0, "n1@0        0.000 s  time +10.000 s\n");
}

static void log_refuses(void **state)
{
    (void)state;
    says("log --grep nothing a.drd", 5, "drd: no event matches\n");
    says("log --node n3 a.drd", 128, "drd: no such node: n3 (the run has n1, n2)\n");
    says("log --kind recvform a.drd", 129, "drd: no kind of event is called 'recvform' (docs/drd-log.md lists them)\n");
    says("log --from soon a.drd", 129, "drd: --from wants an event such as n2@4711 or seconds such as 12.5, not 'soon'\n");
    says("log b.drd", 128, "drd: no such run: b.drd: No such file or directory\n");
    says("log .", 128, "drd: not a DRD run: . is not a regular file\n");
    says("log", 128, "drd: no such run: @ (no run was recorded here; 'drd record -- COMMAND' makes one)\n");
}

static void log_prints_json(void **state)
{
    (void)state;
    assert_int_equal(drd("log --json --node n1 --kind write a.drd"), 0);
    json_t *line = json_loads(out, 0, NULL);
    const char *event, *text;
    int fd, result;
    assert_int_equal(json_unpack(line, "{s:s, s:i, s:{s:i, s:{s:s}}}", "event", &event, "result", &result, "arguments", "fd",
                                 &fd, "data", "text", &text), 0);
    assert_string_equal(event, "n1@1");
    assert_string_equal(text, "hello\n");
    assert_int_equal(fd, 1);
    assert_int_equal(result, 6);
    json_decref(line);
}

static void show_prints_a_run(void **state)
{
    (void)state;
    assert_int_equal(drd("show a.drd"), 0);
    static const char *const wanted[] = {
        "run        a.drd\n", "command    sh test.sh\n", "state      complete\n", "duration   3.000 s\n", "6 events\n",
        "killed by SIGKILL", "exit 0", "         1  recvfrom", "         1  system call 450\n",
        "n2 (process 2) is known up to n2@3: no space left for the spool\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(out, wanted[i]))
            fail_msg("drd show does not say '%s':\n%s", wanted[i], out);
}

static void show_prints_json(void **state)
{
    (void)state;
    assert_int_equal(drd("show --json a.drd"), 0);
    json_t *run = json_loads(out, 0, NULL);
    const char *schema, *end;
    int events, recvfrom, unhandled;
    assert_int_equal(json_unpack(run, "{s:s, s:i, s:{s:i}, s:{s:i}, s:[{}, {s:s}]}", "schema", &schema, "events", &events,
                                 "kinds", "recvfrom", &recvfrom, "unhandled", "system call 450", &unhandled, "processes",
                                 "end", &end), 0);
    assert_string_equal(schema, "drd.show/1");
    assert_string_equal(end, "killed by SIGKILL");
    assert_int_equal(events, 6);
    assert_int_equal(recvfrom + unhandled, 2);
    json_decref(run);
}

static void show_prints_an_event(void **state)
{
    (void)state;
    says("show a.drd@n1@1", 0, "n1@1  write 1, 6 bytes -> 6\n"
                               "  node             n1, incarnation 1: /usr/sbin/server, process 1, pid 100, thread 0\n"
                               "  time             0.000000000 s after the run began\n"
                               "  kind             write\n"
                               "  fd               1 (0x1)\n"
                               "  data             6 bytes\n"
                               "    000000  68 65 6c 6c 6f 0a                                 hello.\n"
                               "  size             not recorded\n"
                               "  result           6\n");
    assert_int_equal(drd("show --json a.drd@n2@1"), 0);
    json_t *event = json_loads(out, 0, NULL);
    const char *error;
    assert_int_equal(json_unpack(event, "{s:s}", "error", &error), 0);
    assert_string_equal(error, "EAGAIN");
    json_decref(event);
}

static void show_refuses(void **state)
{
    (void)state;
    assert_int_equal(drd("show a.drd@n9@1"), 128);
    assert_int_equal(drd("show a.drd@n1@99"), 128);
    assert_int_equal(drd("show /etc/passwd"), 128);
    assert_null(strchr(out, '\n')[1] ? out : NULL); /* one line */
}

/* Flip one bit of the file's last page: only its checksum can tell. */
static void flip_bit(const char *path)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, -100, SEEK_END), 0);
    int c = getc(f);
    assert_int_equal(fseek(f, -100, SEEK_END), 0);
    assert_int_equal(putc(c ^ 1, f), c ^ 1);
    fclose(f);
}

static void fsck_finds_a_flipped_bit(void **state)
{
    (void)state;
    says("fsck a.drd", 0, "a.drd: sound\n");
    says("fsck --repair a.drd", 0, "drd: a.drd needed no repair\na.drd: sound\n");
    flip_bit("a.drd");
    int status = drd("fsck a.drd");
    assert_true(status == 1 || status == 128);
    assert_non_null(strstr(out, "checksum"));
}

static void fsck_prints_json(void **state)
{
    (void)state;
    assert_int_equal(drd("fsck --json a.drd"), 0);
    json_t *report = json_loads(out, 0, NULL);
    const char *verdict;
    json_t *findings;
    assert_int_equal(json_unpack(report, "{s:s, s:o}", "verdict", &verdict, "findings", &findings), 0);
    assert_string_equal(verdict, "sound");
    assert_int_equal(json_array_size(findings), 0);
    json_decref(report);
}

static void doctor_judges_every_check(void **state)
{
    (void)state;
    int status = drd("doctor --json"), broken = 0;
    json_t *report = json_loads(out, 0, NULL), *checks = json_object_get(report, "checks"), *check;
    size_t i;
    assert_true(json_array_size(checks) >= 7);
    json_array_foreach(checks, i, check) {
        const char *name, *result, *text;
        assert_int_equal(json_unpack(check, "{s:s, s:s, s:s}", "name", &name, "result", &result, "text", &text), 0);
        assert_true(*name && *text);
        assert_true(!strcmp(result, "ok") || !strcmp(result, "warn") || !strcmp(result, "fail"));
        broken |= !strcmp(result, "fail");
    }
    assert_int_equal(status, broken ? 125 : 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(report, "calls"), "io_uring_setup")), "refused");
    json_decref(report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_run, remove_run)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(log_prints_lines), TEST(log_refuses), TEST(log_prints_json), TEST(show_prints_a_run),
        TEST(show_prints_json), TEST(show_prints_an_event), TEST(show_refuses),
        TEST(fsck_finds_a_flipped_bit), TEST(fsck_prints_json), TEST(doctor_judges_every_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
