/* SO_RCVTIMEO: recv and accept give up after a while. */
#include "net.h"
#include <sys/time.h>

int main(void)
{
    struct sockaddr_in a;
    struct timeval wait = { 0, 30000 };
    char b[4];
    int listener = listening4(&a), fd = connected4(&a);
    SAY(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
    SAY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
    uint64_t before = now_ns(CLOCK_MONOTONIC);
    SAY(recv(fd, b, sizeof b, 0));
    FACT(now_ns(CLOCK_MONOTONIC) - before >= 29000000);
    SAY(accept(listener, NULL, NULL) >= 0);
    SAY(accept(listener, NULL, NULL));
    return 0;
}
