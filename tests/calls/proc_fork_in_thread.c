/* fork and wait in threads other than the first, several at once. */
#include "check.h"

static void *forks(void *argument)
{
    int status, n = (int)(uintptr_t)argument;
    for (int i = 0; i < 5; i++) {
        pid_t pid = MUST(fork());
        if (!pid)
            _exit(gettid() == getpid() ? n + i : 99);
        MUST(waitpid(pid, &status, 0));
        if (WEXITSTATUS(status) != n + i)
            printf("wrong status %d\n", WEXITSTATUS(status));
    }
    return argument;
}

int main(void)
{
    pthread_t t[4];
    for (uintptr_t i = 0; i < 4; i++)
        t[i] = start(forks, (void *)(i * 10));
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    printf("done\n");
    return 0;
}
