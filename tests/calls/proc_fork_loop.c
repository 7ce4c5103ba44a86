/* Forty children, each of which forks one more. */
#include "check.h"

int main(void)
{
    int sum = 0, status;
    for (int i = 0; i < 40; i++) {
        if (MUST(fork()))
            continue;
        pid_t pid = MUST(fork());
        if (!pid)
            _exit(i);
        MUST(waitpid(pid, &status, 0));
        _exit(WEXITSTATUS(status) + 1);
    }
    int children = 0;
    while (wait(&status) > 0) {
        children++;
        sum += WEXITSTATUS(status);
    }
    printf("%d %d %s\n", children, sum, strerrorname_np(errno));
    return 0;
}
