/* A grandchild that outlives its parent goes on, with another parent. */
#include "check.h"

int main(void)
{
    int gone[2], done[2];
    char b[32] = "";
    unbuffered();
    MUST(pipe(gone));
    MUST(pipe(done));
    pid_t pid = MUST(fork());
    if (!pid) {
        pid_t parent = getpid();
        if (MUST(fork()))
            _exit(0);
        MUST(close(gone[1]));
        MUST(read(gone[0], b, 1));
        MUST(write(done[1], getppid() == parent ? "same parent" : "other parent", 12));
        _exit(0);
    }
    say_wait("child", pid);
    MUST(close(gone[0]));
    MUST(close(gone[1]));
    MUST(close(done[1]));
    MUST(read(done[0], b, sizeof b - 1));
    puts(b);
    MUST(read(done[0], b, 1));
    return 0;
}
