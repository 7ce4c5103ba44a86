/* A file mapped privately: content, copy on write, past the end of the file. */
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    char text[10000], b[8] = "";
    for (int i = 0; i < 10000; i++)
        text[i] = (char)('a' + i % 26);
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    MUST(write(fd, text, sizeof text));
    char *m = MUST(mmap(NULL, sizeof text, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    FACT(!memcmp(m, text, sizeof text));
    printf("%08x %d\n", hash(m, sizeof text), m[10001]);
    memcpy(m, "CHANGED", 7);
    SAY(pread(fd, b, 7, 0));
    printf("%s %.7s\n", b, m);
    char *second = MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 8192));
    MUST(close(fd));
    printf("%08x\n", hash(second, 10000 - 8192));
    SAY(munmap(m, sizeof text));
    FACT(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
    FACT(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, MUST(open("/dev/null", O_WRONLY)), 0) == MAP_FAILED && errno == EACCES);
    return 0;
}
