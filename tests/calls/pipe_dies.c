/* The program itself ends by SIGPIPE. */
#include "check.h"

int main(void)
{
    int p[2];
    unbuffered();
    MUST(pipe(p));
    MUST(close(p[0]));
    printf("before\n");
    signal(SIGPIPE, SIG_DFL);
    SAY(write(p[1], "x", 1));
    printf("not reached\n");
    return 0;
}
