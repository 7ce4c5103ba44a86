/* UDP: sendto, recvfrom, truncation, a connected socket. */
#include "net.h"

int main(void)
{
    struct sockaddr_in a, b, from;
    socklen_t size = sizeof from;
    char data[16] = "";
    int one = bound4(SOCK_DGRAM, &a), two = bound4(SOCK_DGRAM, &b);
    SAY(sendto(one, "datagram", 8, 0, (struct sockaddr *)&b, sizeof b));
    SAY(recvfrom(two, data, sizeof data, 0, (struct sockaddr *)&from, &size));
    FACT(from.sin_port == a.sin_port && size == sizeof from);
    puts(data);
    SAY(sendto(one, "", 0, 0, (struct sockaddr *)&b, sizeof b));
    SAY(recv(two, data, sizeof data, 0));
    SAY(connect(one, (struct sockaddr *)&b, sizeof b));
    SAY(send(one, "long datagram", 13, 0));
    SAY(recv(two, data, 4, MSG_TRUNC));
    SAY(recv(two, data, 4, MSG_DONTWAIT));
    SAY(send(two, "x", 1, 0));
    size = 4;
    SAY(sendto(two, "short", 5, 0, (struct sockaddr *)&a, sizeof a));
    SAY(recvfrom(one, data, sizeof data, 0, (struct sockaddr *)&from, &size));
    printf("%d\n", (int)size);
    return 0;
}
