/* Many small reads and writes. */
#include "check.h"

int main(void)
{
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    uint32_t h = 0;
    for (int i = 0; i < 10000; i++)
        MUST(write(fd, &i, 3));
    MUST(lseek(fd, 0, SEEK_SET));
    char b[2];
    long reads = 0;
    for (ssize_t n; (n = MUST(read(fd, b, 2))) > 0; reads++)
        h = h * 31 + hash(b, (size_t)n);
    printf("%ld reads %08x\n", reads, h);
    return 0;
}
