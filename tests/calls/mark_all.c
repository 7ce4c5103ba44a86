/* Marks (include/drd/drd.h) from everywhere, with texts that are long, wild or not there. tests/cli/marks.sh says what a
 * recording of this has to hold. */
#include "check.h"
#include <drd/drd.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void *thread(void *number)
{
    drd_commit((uint64_t)(intptr_t)number);
    return number;
}

static void handler(int signo)
{
    drd_commit(1000 + (uint64_t)signo);
}

static void every_kind(void)
{
    drd_node(7);
    drd_term(1);
    drd_vote(1, 7);
    drd_role(1, DRD_LEADER);
    drd_append(1, 1, 0xabc);
    drd_append_text(2, 1, 0xdef, "two");
    drd_append_entry(3, 1, "three", 5);
    drd_truncate(2);
    drd_commit(2);
    drd_apply(2, 1, 0x5747e);
    drd_snapshot(2, 1, 0x5747e);
    drd_configuration(1, "7 8 9*");
    drd_read(1, "x");
    drd_write(2, "y", 0xe);
    drd_result(1, 2, 0xa);
    drd_text("words");
    drd_mark(99, 1, 2, UINT64_MAX, NULL, 0);
}

static void texts(char *page)
{
    char *volatile wild = (char *)16;
    static char length[3000];
    memset(length, 'l', sizeof length - 1);
    drd_text(length);
    drd_text(NULL);
    drd_text(wild);
    memset(page, 'p', 4096);
    drd_text(page + 4000);                      /* no NUL before the page ends */
    drd_mark(DRD_MARK_TEXT, 0, 0, 0, page, 8192);
    drd_mark(DRD_MARK_TEXT, 0, 0, 0, page + 4000, 200);
    drd_mark(DRD_MARK_TEXT, 0, 0, 0, wild, 10);
    drd_mark(DRD_MARK_TEXT, 0, 0, 0, NULL, 10);
    drd_text("after the wild ones");
}

int main(void)
{
    char *page = MUST(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    pthread_t t;
    pid_t child;
    MUST(munmap(page + 4096, 4096));
    every_kind();
    texts(page);
    errno = 17;
    drd_text("errno stays");
    SAY(errno);
    pthread_create(&t, NULL, thread, (void *)501);
    pthread_join(t, NULL);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    if (!(child = MUST(fork()))) {
        drd_commit(502);
        _exit(0);
    }
    MUST(waitpid(child, NULL, 0));
    if (!(child = vfork())) {
        drd_commit(503); /* in the parent's memory: not told, and no harm */
        _exit(0);
    }
    MUST(waitpid(child, NULL, 0));
    drd_commit(504);
    return 0;
}
