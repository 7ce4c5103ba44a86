/* A TCP server in one thread, its client in another; and more than a socket buffer holds. */
#include "net.h"

#define SIZE (1u << 20)

/* Printed by the one thread when the other has ended: who of them is first differs from run to run. */
static char greeting[6];

static void *client(void *argument)
{
    int fd = connected4(argument);
    char *b = malloc(SIZE);
    memset(b, 'z', SIZE);
    MUST(send(fd, "hello", 5, 0));
    MUST(recv(fd, b, 5, MSG_WAITALL));
    memcpy(greeting, b, 5);
    memset(b, 'z', SIZE);
    size_t sent = 0;
    while (sent < SIZE)
        sent += (size_t)MUST(write(fd, b + sent, SIZE - sent));
    MUST(close(fd));
    free(b);
    return NULL;
}

int main(void)
{
    struct sockaddr_in address, peer;
    socklen_t size = sizeof peer;
    int listener = listening4(&address), on = 1;
    pthread_t t = start(client, &address);
    int fd = MUST(accept(listener, (struct sockaddr *)&peer, &size));
    FACT(peer.sin_family == AF_INET && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && size == sizeof peer);
    SAY(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    char *b = malloc(SIZE + 1);
    SAY(recv(fd, b, 5, MSG_WAITALL));
    SAY(send(fd, b, 5, MSG_NOSIGNAL));
    size_t n = read_all(fd, b, SIZE + 1);
    printf("%zu %08x\n", n, hash(b, n));
    pthread_join(t, NULL);
    printf("client got %s\n", greeting);
    free(b);
    return 0;
}
