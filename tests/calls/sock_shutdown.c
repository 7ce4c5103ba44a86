/* shutdown: the end of one direction, seen by a thread that waits for data. */
#include "net.h"

static void *reader(void *argument)
{
    char b[64];
    int fd = *(int *)argument;
    size_t n = read_all(fd, b, sizeof b);
    MUST(write(fd, "still open", 10));
    MUST(shutdown(fd, SHUT_WR));
    return (void *)(uintptr_t)n;
}

int main(void)
{
    struct sockaddr_in a;
    char b[16] = "";
    void *got;
    int listener = listening4(&a), fd = connected4(&a), other = MUST(accept(listener, NULL, NULL));
    pthread_t t = start(reader, &other);
    MUST(write(fd, "some", 4));
    SAY(shutdown(fd, SHUT_WR));
    SAY(send(fd, "x", 1, MSG_NOSIGNAL));
    size_t n = read_all(fd, b, sizeof b);
    printf("%zu %s\n", n, b);
    pthread_join(t, &got);
    printf("reader: %d bytes, then the end\n", (int)(uintptr_t)got);
    SAY(shutdown(listener, SHUT_RD));
    SAY(accept(listener, NULL, NULL));
    SAY(shutdown(99, SHUT_RD));
    return 0;
}
