/* Unix datagram sockets: addresses, ends of datagrams, a full queue. */
#include "net.h"

int main(void)
{
    struct sockaddr_un a = unix_name("one"), b = unix_name("two"), from;
    socklen_t size = sizeof from;
    char data[32] = "";
    int one = MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), two = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    MUST(bind(one, (struct sockaddr *)&a, sizeof a));
    MUST(bind(two, (struct sockaddr *)&b, sizeof b));
    SAY(recv(two, data, sizeof data, 0));
    SAY(sendto(one, "first", 5, 0, (struct sockaddr *)&b, sizeof b));
    SAY(sendto(one, "second", 6, 0, (struct sockaddr *)&b, sizeof b));
    SAY(recvfrom(two, data, sizeof data, 0, (struct sockaddr *)&from, &size));
    printf("%s %s\n", data, from.sun_path);
    SAY(recv(two, data, 3, 0));
    SAY(recv(two, data, sizeof data, 0));
    while (send(one, "x", 1, MSG_DONTWAIT) == 1)
        continue;
    SAY(errno == ENOTCONN);
    MUST(fcntl(one, F_SETFL, O_NONBLOCK));
    while (sendto(one, "x", 1, 0, (struct sockaddr *)&b, sizeof b) == 1)
        continue;
    FACT(errno == EAGAIN);
    MUST(unlink("two"));
    SAY(sendto(one, "x", 1, 0, (struct sockaddr *)&b, sizeof b));
    return 0;
}
