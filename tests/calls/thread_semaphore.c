/* Semaphores: strict turns of two threads, a named one, a count. */
#include "check.h"
#include <semaphore.h>

static sem_t ping, pong;

static void *second(void *argument)
{
    for (int i = 0; i < 200; i++) {
        sem_wait(&ping);
        if (i % 50 == 0)
            printf("second %d\n", i);
        sem_post(&pong);
    }
    return argument;
}

int main(void)
{
    char name[64];
    int value;
    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_t t = start(second, NULL);
    for (int i = 0; i < 200; i++) {
        sem_post(&ping);
        sem_wait(&pong);
        if (i % 50 == 0)
            printf("first %d\n", i);
    }
    pthread_join(t, NULL);
    snprintf(name, sizeof name, "/drd-calls-%d", getpid());
    sem_t *named = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
    if (named == SEM_FAILED) {
        printf("no named semaphores\n");
        return 0;
    }
    SAY(sem_unlink(name));
    SAY(sem_wait(named));
    SAY(sem_getvalue(named, &value));
    printf("%d\n", value);
    return 0;
}
