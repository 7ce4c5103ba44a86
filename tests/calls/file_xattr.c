/* Extended attributes, where the file system has them. */
#include "check.h"
#include <sys/xattr.h>

int main(void)
{
    char b[64] = "";
    close(MUST(open("f", O_RDWR | O_CREAT, 0644)));
    if (setxattr("f", "user.one", "value", 5, 0)) {
        printf("none here\n");
        return 0;
    }
    SAY(getxattr("f", "user.one", b, sizeof b));
    puts(b);
    SAY(getxattr("f", "user.one", NULL, 0));
    SAY(getxattr("f", "user.one", b, 2));
    SAY(getxattr("f", "user.two", b, sizeof b));
    SAY(listxattr("f", b, sizeof b) > 0);
    SAY(setxattr("f", "user.one", "v", 1, XATTR_CREATE));
    SAY(removexattr("f", "user.one"));
    SAY(removexattr("f", "user.one"));
    return 0;
}
