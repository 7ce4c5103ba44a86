/* A cluster whose names, entries and words are chosen by somebody who wants the reader of a report to run, see or read
   something
 * else: markup, handlers, the end of a script, overrides of direction, bytes that are no UTF-8, a megabyte. What it states
 * by marks
 * breaks State Machine Safety, so that all of it is told. tests/cli/report.sh and tests/browser/report.sh record it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drd/drd.h>

#define MEGABYTE (1 << 20)

static const char *const names[] = {"<img/src=x/onerror=hostile=1>", "</script><script>hostile=2</script>",
                                    "n3\"onclick=\"$(hostile)\xe2\x80\xae"};

static void entries(int id)
{
    static const char *const content[] = {
        "</script><script>hostile=4</script>", "<svg/onload=hostile=5>", "{{data}}{{script}}", "\"><a href=javascript:hostile=6>",
        "\xe2\x80\xae" "evil\xe2\x80\xac\xe2\x81\xa6", "\xff\xfe\xc0\xaf\xed\xa0\x80", "\x1b[31mred\x07", "<!--<script>", "]]>&lt;&amp;%s%n",
    };
    size_t count = sizeof content / sizeof *content;
    char *large = malloc(MEGABYTE);
    for (size_t i = 0; i < count; i++)
        drd_append_entry(i + 1, 1, content[i], strlen(content[i]));
    memset(large, '<', MEGABYTE);
    large[MEGABYTE - 1] = (char)('0' + id); /* at the end, they differ */
    drd_append_entry(count + 1, 1, large, MEGABYTE);
    for (size_t i = 0; i <= count; i++) {
        drd_commit(i + 1);
        drd_apply(i + 1, 1, i < count ? i + 1 : i + 1 + (size_t)id);
    }
    free(large);
}

static int live(int id, int said, int over)
{
    char byte = 0, words[3000];
    drd_node((uint64_t)id);
    drd_term(1);
    drd_vote(1, 1);
    drd_role(1, id == 1 ? DRD_LEADER : DRD_FOLLOWER);
    drd_configuration(1, "1 2 3 <b>4</b>");
    entries(id);
    memset(words, 'w', sizeof words);
    words[sizeof words - 1] = 0;
    memcpy(words, "<iframe srcdoc=x>\xe2\x80\xa8", 20);
    drd_text(words);
    return write(said, &byte, 1) != 1 || read(over, &byte, 1) != 0;
}

int main(int argc, char **argv)
{
    int said[2], over[2], status = 0;
    char number[32], told[32], wait_on[32], byte;
    if (argc == 4)
        return live(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
    if (pipe(said) != 0 || pipe(over) != 0)
        return 1;
    snprintf(told, sizeof told, "%d", said[1]);
    snprintf(wait_on, sizeof wait_on, "%d", over[0]);
    for (int id = 1; id <= 3; id++) {
        snprintf(number, sizeof number, "%d", id);
        if (fork() == 0) {
            close(over[1]);
            setenv("DRD_NODE", names[id - 1], 1);
            execl(argv[0], argv[0], number, told, wait_on, (char *)NULL);
            _exit(1);
        }
        if (read(said[0], &byte, 1) != 1) /* one after the other, all of them alive */
            return 1;
    }
    close(over[1]);
    for (int id = 1; id <= 3; id++)
        status |= wait(NULL) < 0;
    return status;
}
