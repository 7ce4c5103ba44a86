/* MSG_PEEK, FIONREAD, out of band data. */
#include "net.h"
#include <sys/ioctl.h>

int main(void)
{
    struct sockaddr_in a;
    char b[16] = "";
    int n = 0, listener = listening4(&a), fd = connected4(&a), other = MUST(accept(listener, NULL, NULL));
    MUST(write(fd, "peeked", 6));
    SAY(recv(other, b, 4, MSG_PEEK | MSG_WAITALL));
    puts(b);
    SAY(ioctl(other, FIONREAD, &n));
    printf("%d waiting\n", n);
    memset(b, 0, sizeof b);
    SAY(recv(other, b, sizeof b, 0));
    puts(b);
    SAY(ioctl(other, FIONREAD, &n));
    printf("%d waiting\n", n);
    n = 1;
    SAY(ioctl(other, FIONBIO, &n));
    SAY(recv(other, b, sizeof b, MSG_PEEK));
    SAY(send(fd, "!", 1, MSG_OOB));
    SAY(ioctl(99, FIONREAD, &n));
    return 0;
}
