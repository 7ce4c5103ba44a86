/* exec of a script, of a file that is not a program, of one without the right to. */
#include "check.h"

static void make(const char *name, const char *text, mode_t mode)
{
    int fd = MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    MUST(write(fd, text, strlen(text)));
    MUST(fchmod(fd, mode));
    MUST(close(fd));
}

static void run(const char *path)
{
    pid_t pid = MUST(fork());
    if (!pid) {
        execl(path, path, "an argument", (char *)NULL);
        printf("%s: %s\n", path, strerrorname_np(errno));
        _exit(127);
    }
    say_wait(path, pid);
}

int main(void)
{
    unbuffered();
    make("script", "#!/bin/sh -e\necho script $0 $1\nexit 4\n", 0700);
    make("nothing", "this is no program\n", 0700);
    make("bad", "#!/no/such/interpreter\n", 0700);
    make("private", "#!/bin/sh\n", 0600);
    run("./script");
    run("./nothing");
    run("./bad");
    run("./private");
    run("./missing");
    return 0;
}
