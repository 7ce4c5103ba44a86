/* Parent and child talk through two pipes. */
#include "check.h"

static void child(int in, int out)
{
    long n;
    while (read(in, &n, sizeof n) == sizeof n) {
        n = n * n;
        MUST(write(out, &n, sizeof n));
    }
    exit(0);
}

int main(void)
{
    int to[2], from[2];
    long sum = 0;
    MUST(pipe(to));
    MUST(pipe(from));
    pid_t pid = MUST(fork());
    if (!pid) {
        close(to[1]);
        close(from[0]);
        child(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    for (long i = 0; i < 300; i++) {
        long n = i;
        MUST(write(to[1], &n, sizeof n));
        MUST(read(from[0], &n, sizeof n));
        sum += n;
    }
    printf("%ld\n", sum);
    close(to[1]);
    say_wait("child", pid);
    return 0;
}
