/* execle with an environment of one's own: nothing else gets there. */
#include "check.h"

extern char **environ;

int main(int argc, char **argv)
{
    unbuffered();
    if (argc > 1) {
        int own = 0;
        for (char **e = environ; *e; e++)
            own += !strncmp(*e, "ONLY=", 5);
        printf("%s: ONLY %s, HOME %s, %d\n", argv[1], getenv("ONLY"), getenv("HOME") ? "there" : "gone", own);
        return 0;
    }
    char *const none[] = { NULL }, *const one[] = { "ONLY=this", NULL };
    pid_t pid = MUST(fork());
    if (!pid) {
        execle("/proc/self/exe", argv[0], "one", (char *)NULL, one);
        _exit(127);
    }
    say_wait("one", pid);
    pid = MUST(fork());
    if (!pid) {
        execle("/bin/echo", "echo", "no environment", (char *)NULL, none);
        _exit(127);
    }
    say_wait("none", pid);
    pid = MUST(fork());
    if (!pid) {
        execve("/bin/echo", (char *[]){ "echo", "no environment at all", NULL }, NULL);
        _exit(127);
    }
    say_wait("null", pid);
    clearenv();
    say_status("system", system("/bin/echo after clearenv"));
    return 0;
}
