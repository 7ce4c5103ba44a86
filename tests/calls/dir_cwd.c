/* getcwd, chdir, fchdir, relative paths. */
#include "check.h"
#include <limits.h>

int main(void)
{
    char start_at[PATH_MAX], now[PATH_MAX];
    FACT(getcwd(start_at, sizeof start_at) != NULL);
    MUST(mkdir("in", 0755));
    int home = MUST(open(".", O_RDONLY | O_DIRECTORY));
    SAY(chdir("in"));
    FACT(getcwd(now, sizeof now) != NULL);
    printf("%s\n", now + strlen(start_at));
    FACT(getcwd(now, 2) == NULL && errno == ERANGE);
    close(MUST(open("f", O_CREAT | O_WRONLY, 0644)));
    SAY(fchdir(home));
    SAY(access("in/f", F_OK));
    SAY(openat(home, "in/f", O_RDONLY) >= 0);
    FACT(realpath("in/../in/./f", now) != NULL);
    printf("%s\n", now + strlen(start_at));
    SAY(chdir("nowhere"));
    SAY(chdir("in/f"));
    SAY(fchdir(99));
    return 0;
}
