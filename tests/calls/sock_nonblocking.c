/* A connect that does not wait; SO_ERROR; EAGAIN of accept and recv. */
#include "net.h"
#include <poll.h>

int main(void)
{
    struct sockaddr_in a;
    char b[8] = "";
    int error = -1, listener = listening4(&a);
    socklen_t size = sizeof error;
    MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
    SAY(accept(listener, NULL, NULL));
    int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    struct pollfd p[] = { { fd, POLLOUT, 0 }, { listener, POLLIN, 0 } };
    SAY(poll(p, 1, 5000));
    SAY(poll(p + 1, 1, 5000));
    MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    printf("SO_ERROR %d\n", error);
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    int other = MUST(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    SAY(recv(other, b, sizeof b, 0));
    SAY(send(fd, "data", 4, 0));
    p[0] = (struct pollfd){ other, POLLIN, 0 };
    SAY(poll(p, 1, 5000));
    SAY(recv(other, b, sizeof b, 0));
    puts(b);
    return 0;
}
