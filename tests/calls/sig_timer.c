/* POSIX timers: by signal with a value, by thread, overruns read back. */
#include "check.h"
#include <semaphore.h>

static volatile int count, value, code;
static sem_t told;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    count++;
    value = info->si_value.sival_int;
    code = info->si_code;
}

static void in_thread(union sigval v)
{
    value = v.sival_int;
    sem_post(&told);
}

int main(void)
{
    timer_t timer;
    sigset_t none;
    struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 77 };
    struct itimerspec t = { { 0, 2000000 }, { 0, 2000000 } };
    sigemptyset(&none);
    on_signal_info(SIGRTMIN, handler, 0);
    block_signal(SIGRTMIN);
    MUST(timer_create(CLOCK_MONOTONIC, &e, &timer));
    MUST(timer_settime(timer, 0, &t, NULL));
    while (count < 3)
        sigsuspend(&none);
    FACT(value == 77 && code == SI_TIMER);
    FACT(timer_getoverrun(timer) >= 0);
    MUST(timer_gettime(timer, &t));
    printf("%ld\n", t.it_interval.tv_nsec);
    SAY(timer_delete(timer));
    sem_init(&told, 0, 0);
    e = (struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_notify_function = in_thread, .sigev_value.sival_int = 88 };
    MUST(timer_create(CLOCK_REALTIME, &e, &timer));
    t = (struct itimerspec){ .it_value = { 0, 1000000 } };
    MUST(timer_settime(timer, 0, &t, NULL));
    while (sem_wait(&told) == -1)
        continue;
    printf("%d\n", value);
    return 0;
}
