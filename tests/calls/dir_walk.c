/* scandir and nftw over a small tree; mkdirat, unlinkat. */
#include "check.h"
#include <dirent.h>
#include <ftw.h>

static int remove_one(const char *path, const struct stat *s, int what, struct FTW *at)
{
    (void)s;
    printf("%d %d %s\n", at->level, what == FTW_DP, at->level ? "" : path);
    return remove(path);
}

int main(void)
{
    struct dirent **list;
    MUST(mkdir("t", 0755));
    int t = MUST(open("t", O_RDONLY | O_DIRECTORY));
    MUST(mkdirat(t, "sub", 0755));
    close(MUST(openat(t, "sub/leaf", O_CREAT | O_WRONLY, 0644)));
    close(MUST(openat(t, "b", O_CREAT | O_WRONLY, 0644)));
    close(MUST(openat(t, "a", O_CREAT | O_WRONLY, 0644)));
    int n = SAY(scandir("t", &list, NULL, alphasort));
    for (int i = 0; i < n; i++)
        printf("%s %d\n", list[i]->d_name, list[i]->d_type == DT_DIR);
    SAY(unlinkat(t, "a", 0));
    SAY(unlinkat(t, "b", 0));
    SAY(unlinkat(t, "sub", AT_REMOVEDIR));
    SAY(nftw("t", remove_one, 8, FTW_DEPTH | FTW_PHYS));
    SAY(access("t", F_OK));
    return 0;
}
