/* flock and record locks, between parent and child. */
#include "check.h"
#include <sys/file.h>

static struct flock whole(int type)
{
    return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET };
}

static void child(void)
{
    int fd = MUST(open("f", O_RDWR));
    struct flock l = whole(F_WRLCK);
    SAY(flock(fd, LOCK_EX | LOCK_NB));
    SAY(fcntl(fd, F_SETLK, &l));
    l = whole(F_WRLCK);
    SAY(fcntl(fd, F_GETLK, &l));
    FACT(l.l_type == F_WRLCK && l.l_pid == getppid());
    exit(0);
}

int main(void)
{
    unbuffered();
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    struct flock l = whole(F_WRLCK);
    SAY(flock(fd, LOCK_EX));
    SAY(fcntl(fd, F_SETLK, &l));
    pid_t pid = MUST(fork());
    if (!pid)
        child();
    say_wait("child", pid);
    SAY(flock(fd, LOCK_UN));
    l = whole(F_UNLCK);
    SAY(fcntl(fd, F_SETLKW, &l));
    return 0;
}
