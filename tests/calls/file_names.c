/* rename, link, symlink, readlink, unlink. */
#include "check.h"

int main(void)
{
    char b[32] = "";
    struct stat s;
    close(MUST(open("a", O_WRONLY | O_CREAT, 0600)));
    SAY(link("a", "b"));
    SAY(link("a", "b"));
    MUST(stat("a", &s));
    printf("links %d\n", (int)s.st_nlink);
    SAY(rename("b", "c"));
    SAY(rename("b", "c"));
    SAY(symlink("c", "s"));
    SAY(readlink("s", b, sizeof b));
    printf("%s\n", b);
    SAY(readlink("c", b, sizeof b));
    SAY(symlink("nowhere", "dangling"));
    SAY(open("dangling", O_RDONLY));
    SAY(open("s", O_RDONLY | O_NOFOLLOW));
    SAY(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
    SAY(unlink("a"));
    SAY(unlink("a"));
    SAY(unlinkat(AT_FDCWD, "c", 0));
    SAY(symlink("loop", "loop"));
    SAY(open("loop", O_RDONLY));
    SAY(remove("loop"));
    return 0;
}
