/* O_APPEND through two descriptors; dup, dup2, dup3, fcntl. */
#include "check.h"

int main(void)
{
    char b[64] = "";
    int one = MUST(open("f", O_WRONLY | O_CREAT | O_APPEND, 0644)), two = MUST(open("f", O_RDWR | O_APPEND));
    SAY(write(one, "a", 1));
    SAY(write(two, "bb", 2));
    SAY(write(one, "ccc", 3));
    SAY(pread(two, b, sizeof b, 0));
    puts(b);
    int three = SAY(dup(two));
    SAY(lseek(three, 2, SEEK_SET));
    SAY(lseek(two, 0, SEEK_CUR));
    SAY(dup2(two, 50));
    SAY(dup2(two, two));
    SAY(dup3(two, two, 0));
    SAY(dup3(two, 51, O_CLOEXEC));
    SAY(fcntl(51, F_GETFD));
    SAY(fcntl(50, F_GETFD));
    SAY(fcntl(two, F_DUPFD, 60));
    SAY(fcntl(one, F_GETFL) & (O_ACCMODE | O_APPEND));
    SAY(fcntl(one, F_SETFL, 0));
    SAY(fcntl(one, F_GETFL) & O_APPEND);
    SAY(dup(99));
    SAY(close_range(50, 70, 0));
    SAY(fcntl(60, F_GETFD));
    return 0;
}
