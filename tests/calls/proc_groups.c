/* Sessions, groups, identities: relations only. */
#include "check.h"
#include <grp.h>

int main(void)
{
    gid_t groups[256];
    uid_t r, e, s;
    unbuffered();
    FACT(getpgrp() == getpgid(0) && getsid(0) >= 0); /* 0: its leader is not in this pid namespace (a container's) */
    FACT(getuid() == geteuid() && getgid() == getegid());
    MUST(getresuid(&r, &e, &s));
    FACT(r == getuid() && e == r && s == r);
    FACT(getgroups(0, NULL) == getgroups(256, groups));
    pid_t pid = MUST(fork());
    if (!pid) {
        FACT(setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid());
        FACT(setsid() == -1 && errno == EPERM);
        _exit(0);
    }
    say_wait("session", pid);
    pid = MUST(fork());
    if (!pid) {
        FACT(setpgid(0, 0) == 0 && getpgrp() == getpid());
        _exit(0);
    }
    say_wait("group", pid);
    FACT(getpgid(2000000000) == -1 && errno == ESRCH);
    return 0;
}
