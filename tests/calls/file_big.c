/* Writes and reads of several MB at once. */
#include "check.h"

#define SIZE (6u << 20)

int main(void)
{
    char *b = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        b[i] = (char)(i * 2654435761u >> 24);
    uint32_t before = hash(b, SIZE);
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    SAY(write(fd, b, SIZE));
    SAY(write(fd, b, SIZE / 2));
    memset(b, 0, SIZE);
    SAY(pread(fd, b, SIZE, 0));
    FACT(hash(b, SIZE) == before);
    SAY(pread(fd, b, SIZE, SIZE));
    printf("%08x\n", hash(b, SIZE / 2));
    FACT(hash(b, SIZE) == before);
    free(b);
    return 0;
}
