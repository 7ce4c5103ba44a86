/* stat, lstat, fstat, access, chmod, umask, utimensat, statx. */
#include "check.h"

static void say_stat(const char *path)
{
    struct stat s;
    if (SAY(lstat(path, &s)) == 0)
        printf("%s: %o size %ld mtime %ld.%09ld\n", path, s.st_mode, (long)s.st_size, s.st_size > 9 ? 0 : (long)s.st_mtim.tv_sec,
               s.st_size > 9 ? 0 : s.st_mtim.tv_nsec);
}

int main(void)
{
    struct timespec t[2] = { { 1000, 5 }, { 2000, 123456789 } };
    struct statx x;
    umask(027);
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0666));
    MUST(write(fd, "hello", 5));
    SAY(utimensat(AT_FDCWD, "f", t, 0));
    say_stat("f");
    SAY(chmod("f", 0400));
    SAY(fchmod(fd, 04711));
    t[1].tv_sec = 3000;
    SAY(futimens(fd, t));
    say_stat("f");
    say_stat("missing");
    SAY(access("f", F_OK));
    SAY(access("missing", R_OK));
    SAY(faccessat(AT_FDCWD, "f", X_OK, AT_EACCESS));
    SAY(umask(022));
    SAY(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
    printf("%o %ld\n", x.stx_mode, (long)x.stx_size);
    MUST(symlink("f-with-a-long-name", "s"));
    say_stat("s");
    return 0;
}
