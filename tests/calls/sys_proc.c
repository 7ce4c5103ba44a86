/* Files of /proc about the process itself. */
#include "check.h"

static void first_line(const char *path, size_t n)
{
    char line[512] = "";
    FILE *f = fopen(path, "r");
    if (f && fgets(line, sizeof line, f))
        printf("%s: %.*s\n", path, (int)n, line);
    if (f)
        fclose(f);
}

int main(void)
{
    char exe[4096] = "", line[512];
    bool stack = false;
    FACT(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    printf("%s\n", strrchr(exe, '/') + 1);
    first_line("/proc/self/status", 14);
    first_line("/proc/self/comm", 8);
    FILE *f = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, f))
        stack |= strstr(line, "[stack]") != NULL;
    fclose(f);
    FACT(stack);
    snprintf(exe, sizeof exe, "/proc/%d/stat", getpid());
    f = fopen(exe, "r");
    int pid = 0;
    FACT(fscanf(f, "%d", &pid) == 1 && pid == getpid());
    fclose(f);
    return 0;
}
