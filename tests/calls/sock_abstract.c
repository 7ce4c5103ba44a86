/* Unix sockets without a file: the abstract namespace, and a name given by the kernel. */
#include "net.h"

int main(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX }, got;
    socklen_t size = sizeof got, length;
    snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "drd-test-%d", getpid());
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a.sun_path + 1));
    int listener = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0)), fd = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    SAY(bind(listener, (struct sockaddr *)&a, length));
    SAY(bind(fd, (struct sockaddr *)&a, length));
    SAY(bind(fd, (struct sockaddr *)&a, sizeof(sa_family_t)));
    MUST(getsockname(fd, (struct sockaddr *)&got, &size));
    printf("%d %d\n", (int)size, got.sun_path[0]);
    SAY(listen(listener, 1));
    SAY(connect(fd, (struct sockaddr *)&a, length));
    int other = MUST(accept(listener, NULL, NULL));
    char b[16] = "";
    SAY(send(fd, "packet one", 10, MSG_EOR));
    SAY(send(fd, "two", 3, MSG_EOR));
    SAY(recv(other, b, sizeof b, 0));
    SAY(recv(other, b, sizeof b, 0));
    printf("%.3s\n", b);
    return 0;
}
