/* select: sets in, sets out, the time left, high descriptors. */
#include "check.h"
#include <sys/select.h>

int main(void)
{
    int p[2];
    fd_set in, out;
    struct timeval wait = { 0, 10000 };
    MUST(pipe(p));
    FD_ZERO(&in);
    FD_SET(p[0], &in);
    SAY(select(p[0] + 1, &in, NULL, NULL, &wait));
    FACT(FD_ISSET(p[0], &in));
    printf("left %ld\n", (long)wait.tv_sec);
    MUST(write(p[1], "x", 1));
    MUST(dup2(p[0], 200));
    FD_ZERO(&out);
    FD_SET(p[0], &in);
    FD_SET(200, &in);
    FD_SET(p[1], &out);
    wait = (struct timeval){ 5, 0 };
    SAY(select(201, &in, &out, NULL, &wait));
    FACT(FD_ISSET(p[0], &in) && FD_ISSET(200, &in) && FD_ISSET(p[1], &out));
    FACT(wait.tv_sec == 4 || wait.tv_sec == 5);
    FD_SET(99, &in);
    SAY(select(201, &in, NULL, NULL, &wait));
    SAY(select(-1, NULL, NULL, NULL, NULL));
    return 0;
}
