/* fork and exec: arguments, environment, O_CLOEXEC, a command that does not exist, a search in PATH. */
#include "check.h"

static void run(const char *what, char *const *argv)
{
    pid_t pid = MUST(fork());
    if (!pid) {
        execvp(argv[0], argv);
        printf("%s: %s\n", what, strerrorname_np(errno));
        _exit(127);
    }
    say_wait(what, pid);
}

int main(void)
{
    unbuffered();
    setenv("GIVEN", "from the parent", 1);
    MUST(dup2(MUST(open("/dev/null", O_RDONLY)), 30));
    MUST(dup3(30, 31, O_CLOEXEC));
    run("echo", (char *[]){ "echo", "one", "two words", "", NULL });
    run("sh", (char *[]){ "/bin/sh", "-c", "echo $GIVEN; test -e /proc/$$/fd/30 && ! test -e /proc/$$/fd/31", NULL });
    run("false", (char *[]){ "false", NULL });
    run("missing", (char *[]){ "no-such-command-here", NULL });
    run("directory", (char *[]){ "/usr", NULL });
    run("exit 7", (char *[]){ "sh", "-c", "exit 7", NULL });
    run("killed", (char *[]){ "sh", "-c", "kill -9 $$", NULL });
    return 0;
}
