/* getpwuid, getpwnam, getgrgid: files of the system behind the C library. */
#include "check.h"
#include <grp.h>
#include <pwd.h>

int main(void)
{
    struct passwd *p = getpwuid(0);
    FACT(p && !strcmp(p->pw_name, "root"));
    printf("%s\n", p ? p->pw_dir : "");
    p = getpwuid(getuid());
    FACT(p == NULL || p->pw_uid == getuid());
    FACT(getpwnam("no-such-user-here") == NULL);
    struct group *g = getgrgid(0);
    printf("%s\n", g ? g->gr_name : "");
    int users = 0;
    setpwent();
    while (getpwent())
        users++;
    endpwent();
    FACT(users > 0);
    return 0;
}
