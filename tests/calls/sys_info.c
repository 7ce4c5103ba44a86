/* uname, sysinfo, getrlimit, getrusage, sysconf, gethostname, priorities, affinity. */
#include "check.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void)
{
    struct utsname u;
    struct sysinfo s;
    struct rlimit l;
    struct rusage r;
    cpu_set_t cpus;
    char name[256], short_name[1];
    MUST(uname(&u));
    puts(u.sysname);
    MUST(gethostname(name, sizeof name));
    FACT(!strcmp(name, u.nodename));
    SAY(gethostname(short_name, 1));
    MUST(sysinfo(&s));
    FACT(s.totalram > 0 && s.uptime > 0);
    MUST(getrlimit(RLIMIT_NOFILE, &l));
    l.rlim_cur = 100;
    SAY(setrlimit(RLIMIT_NOFILE, &l));
    SAY(dup2(1, 100));
    MUST(getrlimit(RLIMIT_NOFILE, &l));
    printf("%lu\n", (unsigned long)l.rlim_cur);
    SAY(getrlimit(99, &l));
    MUST(getrusage(RUSAGE_SELF, &r));
    FACT(r.ru_maxrss > 0);
    FACT(sysconf(_SC_NPROCESSORS_ONLN) > 0);
    printf("%ld\n", sysconf(_SC_PAGESIZE));
    MUST(sched_getaffinity(0, sizeof cpus, &cpus));
    FACT(CPU_COUNT(&cpus) > 0);
    SAY(sched_get_priority_max(SCHED_FIFO));
    SAY(getpriority(PRIO_PROCESS, 0) < 20);
    return 0;
}
