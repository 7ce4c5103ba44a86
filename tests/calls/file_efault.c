/* Bad pointers: the kernel answers EFAULT and so must whoever stands in between. */
#include "check.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

int main(void)
{
    char *volatile wild = (char *)16, *bad = wild, b[16];
    char *page = MUST(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    MUST(munmap(page + 4096, 4096));
    struct iovec v[] = { { b, 4 }, { bad, 4 } };
    int p[2], fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    SAY(write(fd, "12345678", 8));
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(write(fd, bad, 8));
    SAY(read(fd, bad, 8));
    SAY(open(bad, O_RDONLY));
    SAY(stat(bad, (struct stat *)b));
    SAY(stat("f", (struct stat *)bad));
    SAY(pipe((int *)bad));
    MUST(pipe(p));
    SAY(writev(p[1], (struct iovec *)bad, 2));
    SAY(readv(fd, v, 2) >= 0);
    SAY(write(fd, page + 4090, 100) > 6);
    SAY(nanosleep((struct timespec *)bad, NULL));
    SAY(syscall(228, CLOCK_REALTIME, bad));
    SAY(bind(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)bad, 16));
    SAY(readlink("f", bad, 100));
    SAY(chdir(bad));
    SAY(syscall(13, SIGUSR1, bad, NULL, 8));
    SAY(syscall(14, SIG_BLOCK, bad, NULL, 8));
    SAY(waitpid(-1, (int *)bad, 0));
    return 0;
}
