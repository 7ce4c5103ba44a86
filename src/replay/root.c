#include "replay/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/pack.h"

/* ---- laying it out ---- */

/* All directories above `path`, which begins with `root`. */
static bool make_above(const char *root, char *path)
{
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        bool ok = !mkdir(path, 0755) || errno == EEXIST;
        *slash = '/';
        if (!ok)
            return false;
    }
    return true;
}

/* There is no link in the tree that a path could lead through: pack_files gives regular files only, each once. */
static bool file_make(const char *root, struct store *s, const struct pack_file *f, struct drd_error *e)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, f->path);
    int fd = make_above(root, path) ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot put the packed file %.200s into place", f->path);
    bool ok = pack_extract(s, f, fd, e);
    if (ok && fchmod(fd, f->executable ? 0755 : 0644))
        ok = error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    if (close(fd) && ok)
        ok = error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    return ok;
}

/* The places for what is mounted: /proc, and the stage under its own path. */
static bool places_make(const struct root *root, const struct stage *stage, struct drd_error *e)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/proc", root->path);
    bool ok = !mkdir(path, 0755) || errno == EEXIST;
    snprintf(path, sizeof path, "%s%s/", root->path, stage->path);
    return (ok && make_above(root->path, path)) || error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
}

/* ---- going there ---- */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Whoever may not mount may in a user namespace of his own, where he stays who he is. user_namespaces(7). */
static bool namespace_make(void)
{
    char text[64];
    unsigned uid = geteuid(), gid = getegid();
    if (!unshare(CLONE_NEWNS))
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
        return false;
    write_text("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "%u %u 1", gid, gid);
    if (!write_text("/proc/self/gid_map", text))
        return false;
    snprintf(text, sizeof text, "%u %u 1", uid, uid);
    return write_text("/proc/self/uid_map", text);
}

/* What is mounted here must not show elsewhere. In a chroot "/" is no mount point, so the one that it is in is gone to first:
 * chroot(2) does not change the current directory. */
static bool mounts_private(const char *root)
{
    if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return true;
    int here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool ok = errno == EINVAL && here >= 0 && !chdir("/") && !chroot(root);
    for (int depth = 0; ok && depth < PATH_MAX / 2; depth++)
        ok = !chdir("..");
    ok = ok && !chroot(".") && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) && !fchdir(here) && !chroot(".");
    if (here >= 0)
        close(here);
    return ok;
}

bool root_enter(const char *root, const char *stage)
{
    char path[2 * PATH_MAX];
    if (!namespace_make() || !mounts_private(root))
        return false;
    snprintf(path, sizeof path, "%s/proc", root);
    if (access("/proc/self/maps", R_OK) ? mount("proc", path, "proc", 0, NULL) : mount("/proc", path, NULL, MS_BIND | MS_REC, NULL))
        return false; /* in a chroot it may be missing */
    snprintf(path, sizeof path, "%s%s", root, stage);
    if (mount(stage, path, NULL, MS_BIND, NULL))
        return false;
    return !chroot(root) && !chdir("/") && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Better one line before anything is started than one for each process. */
static bool can_enter(const struct root *root, const struct stage *stage, struct drd_error *e)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(root_enter(root->path, stage->path) ? 0 : errno ? errno & 0xff : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
        return true;
    return error_set(e, DRD_EXIT_CANNOT, "the recorded files are in the pack, but this machine refuses the mount namespace to put "
                     "them in place (%s): run as root, allow user namespaces (sysctl user.max_user_namespaces, "
                     "kernel.unprivileged_userns_clone; docker run --security-opt seccomp=unconfined), or install the files",
                     strerror(pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : errno));
}

static bool files_make(const char *directory, struct store *s, const struct pack_file *list, size_t count, struct drd_error *e)
{
    for (size_t i = 0; i < count; i++)
        if (!file_make(directory, s, &list[i], e))
            return false;
    return true;
}

int root_make(struct root *root, const struct stage *stage, struct store *s, struct drd_error *e)
{
    struct pack_file *list;
    size_t count;
    if (!pack_files(s, &list, &count, e))
        return -1;
    if (!count)
        return 0;
    snprintf(root->path, sizeof root->path, "%s/" STAGE_ROOT, stage->path);
    bool ok = !mkdir(root->path, 0755) || error_set_errno(e, DRD_EXIT_CANNOT, "%s", root->path);
    ok = ok && places_make(root, stage, e) && can_enter(root, stage, e) && files_make(root->path, s, list, count, e);
    pack_files_free(list, count);
    if (!ok)
        root->path[0] = 0;
    return ok ? 1 : -1;
}

bool root_lay_out(const char *directory, struct store *s, struct drd_error *e)
{
    struct pack_file *list;
    size_t count;
    if (!pack_files(s, &list, &count, e))
        return false;
    bool made = !mkdir(directory, 0755) || error_set_errno(e, DRD_EXIT_FATAL, "%s", directory);
    bool ok = made && files_make(directory, s, list, count, e);
    if (made && !ok)
        stage_remove(directory);
    pack_files_free(list, count);
    return ok;
}
