/* io_uring may be there or be refused: a program copes with both. */
#include "check.h"
#include <sys/syscall.h>

int main(void)
{
    char parameters[120] = { 0 }, b[16] = "";
    long fd = syscall(425, 4, parameters);
    FACT(fd >= 0 || errno == ENOSYS || errno == EPERM || errno == ENOMEM);
    if (fd >= 0)
        close((int)fd);
    int file = MUST(open("f", O_RDWR | O_CREAT, 0644));
    SAY(write(file, "the other way", 13));
    SAY(pread(file, b, 13, 0));
    puts(b);
    return 0;
}
