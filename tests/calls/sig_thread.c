/* pthread_kill: the handler runs in the thread that was meant; masks are each thread's own. */
#include "check.h"
#include <semaphore.h>

static sem_t ready, done, end;
static volatile pid_t ran_in;

static void handler(int signo)
{
    (void)signo;
    ran_in = gettid();
    sem_post(&done);
}

static void *worker(void *argument)
{
    *(pid_t *)argument = gettid();
    sem_post(&ready);
    while (sem_wait(&end) == -1)
        continue;
    return NULL;
}

int main(void)
{
    pid_t tid = 0;
    sem_init(&ready, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&end, 0, 0);
    on_signal(SIGUSR1, handler, 0);
    pthread_t t = start(worker, &tid);
    sem_wait(&ready);
    wait_asleep(getpid(), tid);
    for (int i = 0; i < 10; i++) {
        ZERO(pthread_kill(t, SIGUSR1));
        while (sem_wait(&done) == -1)
            continue;
        FACT(ran_in == tid);
    }
    block_signal(SIGUSR1);
    MUST(kill(getpid(), SIGUSR1));
    while (sem_wait(&done) == -1)
        continue;
    FACT(ran_in == tid);
    sem_post(&end);
    pthread_join(t, NULL);
    return 0;
}
