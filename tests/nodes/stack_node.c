/* What tests/cli/frames.sh looks at: one call of each kind, each deep in functions that are known by name. A comment at the end
 * of a line is what the test finds the line by. Built with -g and -O1, which puts the function marked so inline. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEEP __attribute__((noinline, noclone))

static int file;

/* Without it the compiler may jump to the last function instead of calling it, and the caller is on no stack. */
static void stay(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline __attribute__((always_inline)) void put_inline(const char *text)
{
    if (write(file, text, strlen(text)) < 0) /* preloaded */
        _exit(1);
    stay();
}

static DEEP void preloaded(void)
{
    put_inline("preloaded"); /* calls inline */
    stay();
}

static DEEP void raw(void)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(SYS_write), "D"(file), "S"("raw"), "d"(3) : "rcx", "r11", "memory"); /* raw */
    stay();
}

static DEEP void through_libc(void)
{
    FILE *f = fdopen(dup(file), "w");
    fputs("libc", f);
    fclose(f); /* libc writes */
    stay();
}

static DEEP void level(int depth)
{
    if (depth)
        level(depth - 1); /* deeper */
    else
        preloaded(); /* deepest */
    stay();
}

static void *thread(void *nothing)
{
    stay();
    if (write(file, "thread", 6) < 0) /* of the thread */
        _exit(1);
    stay();
    return nothing;
}

static DEEP void say(const char *text)
{
    if (write(file, text, strlen(text)) < 0) /* says */
        _exit(1);
    stay();
}

static void handler(int signo)
{
    (void)signo;
    say("signal"); /* handles */
    stay();
}

static DEEP void late(void)
{
    void *library = dlopen("./libstack_library.so", RTLD_NOW);
    void (*calls)(void (*)(const char *)) = library ? (void (*)(void (*)(const char *)))dlsym(library, "library_calls") : NULL;
    if (calls)
        calls(say); /* calls the library */
    stay();
}

static DEEP void forked(void)
{
    if (fork() == 0) {
        say("child"); /* the child */
        _exit(0);
    }
    wait(NULL);
}

int main(void)
{
    pthread_t other;
    file = open("stack.out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    level(3); /* main calls */
    raw();
    through_libc();
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    late();
    forked(); /* main forks */
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    return 0;
}
