/* Arguments with odd bytes, empty ones, long ones, many; argv[0] of one's choice. */
#include "check.h"

static void show(int argc, char **argv)
{
    for (int i = 0; i < argc && i < 8; i++) {
        printf("%d:", i);
        for (size_t k = 0; argv[i][k] && k < 24; k++)
            printf(" %02x", (unsigned char)argv[i][k]);
        printf(" (%zu)\n", strlen(argv[i]));
    }
    printf("%d\n", argc);
}

int main(int argc, char **argv)
{
    static char longest[100000], *many[3002];
    if (argc > 1) {
        show(argc, argv);
        return 0;
    }
    fflush(stdout);
    unbuffered();
    memset(longest, 'l', sizeof longest - 1);
    pid_t pid = MUST(fork());
    if (!pid) {
        execl("/proc/self/exe", "name of its own", "", "\n\t\"'\\", "\377\376\200", longest, " ", (char *)NULL);
        _exit(127);
    }
    say_wait("odd", pid);
    for (int i = 0; i < 3000; i++)
        many[i] = "m";
    pid = MUST(fork());
    if (!pid) {
        execv("/proc/self/exe", many);
        _exit(127);
    }
    say_wait("many", pid);
    return 0;
}
