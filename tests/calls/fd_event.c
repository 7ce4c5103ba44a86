/* eventfd: counter, semaphore, EAGAIN, a thread that waits on it. */
#include "check.h"
#include <sys/eventfd.h>

static void *adder(void *argument)
{
    MUST(eventfd_write(*(int *)argument, 5));
    return NULL;
}

int main(void)
{
    uint64_t value = 0;
    int fd = MUST(eventfd(0, 0)), busy = MUST(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));
    pthread_t t = start(adder, &fd);
    SAY(read(fd, &value, 8));
    printf("%lu\n", (long)value);
    pthread_join(t, NULL);
    SAY(eventfd_read(busy, &value));
    SAY(eventfd_read(busy, &value));
    SAY(eventfd_read(busy, &value));
    SAY(eventfd_write(busy, UINT64_MAX - 1));
    SAY(eventfd_write(busy, 1));
    SAY(read(busy, &value, 4));
    return 0;
}
