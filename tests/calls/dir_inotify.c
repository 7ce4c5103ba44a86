/* inotify: what happens to a directory, as events. */
#include "check.h"
#include <sys/inotify.h>

int main(void)
{
    char b[4096] __attribute__((aligned(8)));
    MUST(mkdir("d", 0755));
    int fd = MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    int watch = MUST(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVED_TO));
    SAY(read(fd, b, sizeof b));
    close(MUST(open("d/one", O_CREAT | O_WRONLY, 0644)));
    MUST(rename("d/one", "d/two"));
    MUST(unlink("d/two"));
    ssize_t n = MUST(read(fd, b, sizeof b));
    for (char *p = b; p < b + n;) {
        struct inotify_event *e = (struct inotify_event *)(void *)p;
        printf("%x %s %d\n", e->mask, e->len ? e->name : "", e->wd == watch);
        p += sizeof *e + e->len;
    }
    SAY(inotify_rm_watch(fd, watch));
    SAY(inotify_rm_watch(fd, watch));
    return 0;
}
