/* TCP over the IPv6 loopback, where the machine has it. */
#include "net.h"

int main(void)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT }, peer;
    socklen_t size = sizeof a, peer_size = sizeof peer;
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&a, size) || listen(listener, 1)) {
        printf("no IPv6\n");
        return 0;
    }
    MUST(getsockname(listener, (struct sockaddr *)&a, &size));
    int fd = MUST(socket(AF_INET6, SOCK_STREAM, 0));
    SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
    int other = MUST(accept4(listener, (struct sockaddr *)&peer, &peer_size, SOCK_NONBLOCK));
    char text[64], b[8] = "";
    puts(inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text));
    SAY(recv(other, b, sizeof b, 0));
    SAY(write(fd, "six", 3));
    SAY(read(other, b, sizeof b));
    puts(b);
    return 0;
}
