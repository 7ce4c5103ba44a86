/* Two threads in blocking calls at once, each the one the other waits for. */
#include "net.h"

static void *echo(void *argument)
{
    int fd = *(int *)argument;
    char b[64];
    for (ssize_t n; (n = MUST(read(fd, b, sizeof b))) > 0;)
        MUST(write(fd, b, (size_t)n));
    MUST(close(fd));
    return NULL;
}

int main(void)
{
    int s[2];
    char b[64];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    pthread_t t = start(echo, &s[1]);
    long total = 0;
    for (int i = 1; i <= 500; i++) {
        size_t n = (size_t)(i % 60 + 1);
        memset(b, i, n);
        MUST(write(s[0], b, n));
        for (size_t got = 0; got < n;)
            got += (size_t)MUST(read(s[0], b + got, n - got));
        total += b[n - 1];
    }
    printf("%ld\n", total);
    MUST(shutdown(s[0], SHUT_WR));
    SAY(read(s[0], b, sizeof b));
    pthread_join(t, NULL);
    return 0;
}
