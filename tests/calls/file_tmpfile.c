/* O_TMPFILE: a file without a name, and a name for it afterwards. */
#include "check.h"

int main(void)
{
    char path[64], b[8] = "";
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd < 0) {
        printf("refused\n");
        return 0;
    }
    SAY(write(fd, "hidden", 6));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    SAY(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    int again = MUST(open("named", O_RDONLY));
    SAY(read(again, b, sizeof b));
    puts(b);
    char name[] = "temporary-XXXXXX";
    int third = MUST(mkstemp(name));
    FACT(strcmp(name, "temporary-XXXXXX") != 0);
    SAY(write(third, "x", 1));
    SAY(unlink(name));
    return 0;
}
