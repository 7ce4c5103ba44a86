/* pipe2 with O_NONBLOCK: empty, full, in between; F_GETPIPE_SZ; tee. */
#include "check.h"
#include <sys/ioctl.h>

int main(void)
{
    int p[2], q[2], n = 0;
    char b[4096] = "";
    MUST(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    SAY(read(p[0], b, sizeof b));
    long total = 0;
    for (ssize_t w; (w = write(p[1], b, sizeof b)) > 0;)
        total += w;
    printf("%s after %d\n", strerrorname_np(errno), total == fcntl(p[1], F_GETPIPE_SZ));
    SAY(read(p[0], b, 100));
    SAY(write(p[1], b, sizeof b));
    SAY(read(p[0], b, sizeof b));
    SAY(write(p[1], b, sizeof b));
    SAY(ioctl(p[0], FIONREAD, &n));
    FACT(n > 4096);
    MUST(pipe(q));
    SAY(tee(p[0], q[1], 64, 0));
    SAY(read(q[0], b, sizeof b));
    close(p[1]);
    long left = 0;
    for (ssize_t r; (r = read(p[0], b, sizeof b)) > 0;)
        left += r;
    FACT(left == n);
    SAY(read(p[0], b, sizeof b));
    return 0;
}
