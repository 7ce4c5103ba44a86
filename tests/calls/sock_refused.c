/* Nobody listens: ECONNREFUSED at once, by SO_ERROR, and from UDP. */
#include "net.h"
#include <poll.h>

int main(void)
{
    struct sockaddr_in a;
    char b[4];
    int error = 0;
    socklen_t size = sizeof error;
    int holder = bound4(SOCK_STREAM, &a);
    SAY(connect(MUST(socket(AF_INET, SOCK_STREAM, 0)), (struct sockaddr *)&a, sizeof a));
    int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    struct pollfd p = { fd, POLLOUT, 0 };
    SAY(poll(&p, 1, 5000));
    printf("revents %x\n", p.revents);
    SAY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    printf("SO_ERROR %s\n", strerrorname_np(error));
    SAY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    printf("SO_ERROR %d\n", error);
    close(holder);
    struct sockaddr_in own;
    holder = bound4(SOCK_DGRAM, &a);
    int udp = bound4(SOCK_DGRAM, &own); /* while the other port is taken: it would be given that one now and then */
    close(holder);
    SAY(connect(udp, (struct sockaddr *)&a, sizeof a));
    SAY(send(udp, "x", 1, 0));
    SAY(recv(udp, b, 1, 0));
    return 0;
}
