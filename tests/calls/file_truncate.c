/* ftruncate, truncate, fallocate: sizes, and zeros where nothing was written. */
#include "check.h"

static void say_size(int fd)
{
    struct stat s;
    MUST(fstat(fd, &s));
    printf("size %ld\n", (long)s.st_size);
}

int main(void)
{
    char b[32];
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    MUST(write(fd, "abcdefgh", 8));
    SAY(ftruncate(fd, 3));
    say_size(fd);
    SAY(ftruncate(fd, 10));
    SAY(pread(fd, b, sizeof b, 0));
    printf("%.3s %d\n", b, b[9]);
    SAY(truncate("f", 5));
    say_size(fd);
    SAY(truncate("missing", 5));
    SAY(fallocate(fd, 0, 0, 8192));
    say_size(fd);
    SAY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16384));
    say_size(fd);
    printf("posix_fallocate %d\n", posix_fallocate(fd, 0, 20000));
    say_size(fd);
    SAY(ftruncate(fd, -1));
    return 0;
}
