/* prctl: the name, parent death signal, dumpable, no new privileges; /proc/self/comm. */
#include "check.h"
#include <sys/prctl.h>

int main(void)
{
    char name[32] = "";
    int signo = -1;
    SAY(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
    SAY(prctl(PR_GET_NAME, name));
    puts(name);
    memset(name, 0, sizeof name);
    int fd = MUST(open("/proc/self/comm", O_RDONLY));
    MUST(read(fd, name, sizeof name));
    printf("%s", name);
    SAY(prctl(PR_SET_PDEATHSIG, SIGTERM));
    SAY(prctl(PR_GET_PDEATHSIG, &signo));
    printf("%d\n", signo);
    SAY(prctl(PR_SET_PDEATHSIG, 0));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SAY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SAY(prctl(12345));
    SAY(prctl(PR_GET_NAME, (char *)16));
    return 0;
}
