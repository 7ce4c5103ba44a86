/* poll: nothing, something, hangup, a closed descriptor, negative descriptors, many entries. */
#include "check.h"
#include <poll.h>

int main(void)
{
    int p[2];
    char b[4];
    MUST(pipe(p));
    struct pollfd f[] = { { p[0], POLLIN, -1 }, { -1, POLLIN, -1 }, { 99, POLLIN, -1 }, { p[1], POLLOUT, -1 } };
    SAY(poll(f, 1, 0));
    SAY(poll(f, 1, 10));
    printf("%d\n", f[0].revents);
    SAY(poll(f, 4, -1));
    printf("%x %x %x %x\n", f[0].revents, f[1].revents, f[2].revents, f[3].revents);
    MUST(write(p[1], "x", 1));
    SAY(poll(f, 2, 5000));
    printf("%x\n", f[0].revents);
    MUST(read(p[0], b, 1));
    MUST(close(p[1]));
    SAY(poll(f, 1, 5000));
    printf("%x\n", f[0].revents);
    SAY(poll(NULL, 0, 1));
    struct pollfd many[200];
    for (int i = 0; i < 200; i++)
        many[i] = (struct pollfd){ p[0], POLLIN, 0 };
    SAY(poll(many, 200, 0));
    return 0;
}
