/* A named pipe: each side's open waits for the other. */
#include "check.h"

static void *writer(void *argument)
{
    (void)argument;
    int fd = MUST(open("fifo", O_WRONLY));
    MUST(write(fd, "through the fifo", 16));
    MUST(close(fd));
    return NULL;
}

int main(void)
{
    char b[32] = "";
    SAY(mkfifo("fifo", 0600));
    SAY(mkfifo("fifo", 0600));
    SAY(open("fifo", O_WRONLY | O_NONBLOCK));
    pthread_t t = start(writer, NULL);
    int fd = MUST(open("fifo", O_RDONLY));
    SAY(read(fd, b, sizeof b));
    puts(b);
    SAY(read(fd, b, sizeof b));
    pthread_join(t, NULL);
    return 0;
}
