/* A program that empties its environment goes on being recorded, for longer than one segment of its spool, and as what it
 * becomes. */
#include "check.h"
#include <fcntl.h>

int main(void)
{
    char block[4096] = "";
    MUST(clearenv());
    int null = MUST(open("/dev/null", O_WRONLY));
    for (int i = 0; i < 200; i++) {
        block[0] = (char)i;
        MUST(write(null, block, sizeof block));
    }
    printf("written\n");
    fflush(stdout);
    execl("/bin/echo", "echo", "become another", NULL);
    return 1;
}
