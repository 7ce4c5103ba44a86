/* mkdir, readdir, rewinddir, rmdir. */
#include "check.h"
#include <dirent.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
    char *names[32], path[32];
    int n = 0, again = 0;
    SAY(mkdir("d", 0755));
    SAY(mkdir("d", 0755));
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "d/entry%02d", i);
        close(MUST(open(path, O_CREAT | O_WRONLY, 0644)));
    }
    DIR *d = opendir("d");
    for (struct dirent *e; (e = readdir(d));)
        names[n++] = strdup(e->d_name);
    rewinddir(d);
    while (readdir(d))
        again++;
    closedir(d);
    qsort(names, (size_t)n, sizeof *names, compare);
    for (int i = 0; i < n; i++)
        puts(names[i]);
    FACT(n == again);
    SAY(rmdir("d"));
    FACT(opendir("missing") == NULL && errno == ENOENT);
    FACT(opendir("d/entry00") == NULL && errno == ENOTDIR);
    return 0;
}
