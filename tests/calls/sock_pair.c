/* socketpair of each type; both directions; the far end closed. */
#include "net.h"

static void talk(int type)
{
    int s[2];
    char b[16] = "";
    SAY(socketpair(AF_UNIX, type, 0, s));
    FACT(s[1] == s[0] + 1);
    SAY(write(s[0], "ping", 4));
    SAY(write(s[0], "more", 4));
    SAY(read(s[1], b, sizeof b));
    SAY(write(s[1], "pong", 4));
    SAY(read(s[0], b, sizeof b));
    puts(b);
    MUST(close(s[0]));
    SAY(send(s[1], "x", 1, MSG_NOSIGNAL));
    MUST(close(s[1]));
}

int main(void)
{
    int s[2];
    talk(SOCK_STREAM);
    talk(SOCK_DGRAM);
    talk(SOCK_SEQPACKET);
    SAY(socketpair(AF_INET, SOCK_STREAM, 0, s));
    return 0;
}
