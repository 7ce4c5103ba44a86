/* fork in a program with threads: the child has one; atfork handlers; the child makes threads of its own. */
#include "check.h"

static int p[2], parents;

static void before(void) { printf("prepare\n"); }
static void in_parent(void) { parents++; } /* says so later: the child prints at the same time */
static void in_child(void) { printf("child\n"); }

static void *blocked(void *argument)
{
    char b;
    read(p[0], &b, 1);
    return argument;
}

static void *adds(void *argument)
{
    ++*(int *)argument;
    return NULL;
}

int main(void)
{
    int n = 0;
    unbuffered();
    MUST(pipe(p));
    pthread_t t = start(blocked, NULL);
    pthread_atfork(before, in_parent, in_child);
    for (int i = 0; i < 3; i++) {
        pid_t pid = MUST(fork());
        if (!pid) {
            for (int k = 0; k < 3; k++)
                pthread_join(start(adds, &n), NULL);
            char *m = malloc(100000);
            memset(m, 1, 100000);
            free(m);
            exit(n);
        }
        say_wait("child", pid);
    }
    printf("in the parent %d times\n", parents);
    MUST(write(p[1], "x", 1));
    pthread_join(t, NULL);
    return 0;
}
