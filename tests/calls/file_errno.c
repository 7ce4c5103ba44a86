/* What failing calls answer. */
#include "check.h"
#include <sys/socket.h>

int main(void)
{
    char b[4], longer[5000];
    int p[2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    SAY(open("missing", O_RDONLY));
    SAY(open("missing/below", O_RDONLY | O_CREAT, 0644));
    SAY(open("/dev/null/below", O_RDONLY));
    SAY(open(".", O_WRONLY));
    SAY(open(longer, O_RDONLY));
    SAY(open("", O_RDONLY));
    SAY(read(-1, b, 1));
    SAY(read(1000, b, 1));
    SAY(write(MUST(open("/dev/null", O_RDONLY)), b, 1));
    SAY(write(MUST(open("/dev/full", O_WRONLY)), b, 1));
    SAY(read(MUST(open(".", O_RDONLY)), b, 1));
    MUST(pipe(p));
    SAY(lseek(p[0], 0, SEEK_SET));
    SAY(lseek(MUST(open("/dev/null", O_RDONLY)), 0, 77));
    SAY(pread(p[0], b, 1, 0));
    SAY(ftruncate(p[0], 0));
    SAY(fcntl(p[0], 4242));
    SAY(rename("missing", "other"));
    SAY(getsockname(p[0], (struct sockaddr *)b, &(socklen_t){ 4 }));
    SAY(kill(2000000000, 0));
    SAY(socket(AF_INET, 77, 0));
    SAY(unlink("."));
    SAY(rmdir("/proc"));
    return 0;
}
