/* A writer that waits for room in a full pipe, a reader that waits for data. */
#include "net.h"

#define SIZE 400000

static void *writer(void *argument)
{
    int fd = *(int *)argument;
    char *b = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        b[i] = (char)(i % 251);
    SAY(write(fd, b, SIZE));
    MUST(close(fd));
    free(b);
    return NULL;
}

int main(void)
{
    int p[2];
    char *b = malloc(SIZE + 1);
    MUST(pipe(p));
    pthread_t t = start(writer, &p[1]);
    size_t n = read_all(p[0], b, SIZE + 1);
    pthread_join(t, NULL);
    printf("%zu %08x\n", n, hash(b, n));
    free(b);
    return 0;
}
