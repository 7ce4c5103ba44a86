/* readv, writev, preadv, pwritev and their second versions. */
#include "check.h"
#include <sys/uio.h>

int main(void)
{
    volatile int nothing = -1;
    char a[4] = "", b[8] = "", c[8] = "";
    struct iovec out[] = { { "one", 3 }, { "", 0 }, { "twotwo", 6 }, { NULL, 0 } };
    struct iovec in[] = { { a, 2 }, { b, 5 }, { c, 8 } };
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    SAY(writev(fd, out, 4));
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(readv(fd, in, 3));
    printf("%.2s|%.5s|%.2s\n", a, b, c);
    SAY(pwritev(fd, out, 1, 20));
    memset(c, 0, sizeof c);
    SAY(preadv(fd, in, 3, 12));
    printf("%02x|%.2s\n", b[0], c + 1);
    SAY(pwritev2(fd, out, 1, 0, RWF_APPEND));
    SAY(preadv2(fd, in, 2, -1, 0));
    SAY(lseek(fd, 0, SEEK_END));
    SAY(writev(fd, out, nothing));
    SAY(readv(fd, in, 0));
    return 0;
}
