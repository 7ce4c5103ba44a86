/* open, write, lseek, read, pread, pwrite, close. */
#include "check.h"

int main(void)
{
    char b[64] = { 0 };
    int fd = MUST(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
    SAY(write(fd, "0123456789", 10));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(lseek(fd, 3, SEEK_SET));
    SAY(read(fd, b, 4));
    printf("%s\n", b);
    SAY(pwrite(fd, "XY", 2, 8));
    SAY(pread(fd, b, sizeof b, 5));
    printf("%.5s\n", b);
    SAY(lseek(fd, -2, SEEK_END));
    SAY(read(fd, b, sizeof b));
    SAY(read(fd, b, sizeof b));
    SAY(lseek(fd, 100, SEEK_SET));
    SAY(write(fd, "", 1));
    SAY(lseek(fd, 0, SEEK_END));
    SAY(read(fd, b, 0));
    SAY(fsync(fd));
    SAY(fdatasync(fd));
    SAY(close(fd));
    SAY(close(fd));
    SAY(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
    return 0;
}
