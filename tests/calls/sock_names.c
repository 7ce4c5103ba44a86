/* getsockname, getpeername, socket options. */
#include "net.h"

static void say_option(int fd, int level, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    SAY(getsockopt(fd, level, option, &value, &size));
    printf("option %d: %d (%d bytes)\n", option, value, (int)size);
}

int main(void)
{
    struct sockaddr_in a, mine, far;
    socklen_t size = sizeof mine, far_size = sizeof far;
    int on = 1, listener = listening4(&a), fd = connected4(&a), other = MUST(accept(listener, NULL, NULL));
    MUST(getsockname(fd, (struct sockaddr *)&mine, &size));
    MUST(getpeername(other, (struct sockaddr *)&far, &far_size));
    FACT(mine.sin_port == far.sin_port && mine.sin_port != a.sin_port);
    size = 3;
    SAY(getsockname(fd, (struct sockaddr *)&mine, &size));
    printf("length %d\n", (int)size);
    SAY(getpeername(listener, (struct sockaddr *)&far, &far_size));
    SAY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    SAY(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    SAY(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, 1));
    say_option(fd, SOL_SOCKET, SO_REUSEADDR);
    say_option(fd, SOL_SOCKET, SO_KEEPALIVE);
    say_option(fd, SOL_SOCKET, SO_TYPE);
    say_option(listener, SOL_SOCKET, SO_ACCEPTCONN);
    say_option(fd, IPPROTO_TCP, TCP_NODELAY);
    say_option(fd, IPPROTO_TCP, 9999);
    struct linger l = { 1, 0 };
    SAY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    close(fd);
    char b[4];
    SAY(read(other, b, sizeof b));
    return 0;
}
