#include "util/shim_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHIM "libdrd_shim.so"

/* The directory of this program, without a slash at its end. */
static bool program_directory(char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (n <= 0)
        return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

static bool readable(const char *path, char out[PATH_MAX])
{
    return realpath(path, out) && !access(out, R_OK);
}

bool shim_path(char out[PATH_MAX], struct drd_error *e)
{
    static const char *const places[] = { "", "/..", "/../lib/x86_64-linux-gnu/drd", "/../lib64/drd", "/../lib/drd" };
    char directory[PATH_MAX], path[PATH_MAX + 64];
    const char *chosen = getenv("DRD_SHIM");
    if (chosen && *chosen) {
        if (readable(chosen, out))
            return true;
        return error_set_errno(e, DRD_EXIT_CANNOT, "DRD_SHIM=%s cannot be read", chosen);
    }
    if (!program_directory(directory))
        return error_set_errno(e, DRD_EXIT_CANNOT, "cannot tell where drd itself is");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s%s/" SHIM, directory, places[i]);
        if (readable(path, out))
            return true;
    }
    return error_set(e, DRD_EXIT_CANNOT, SHIM " not found beside %s/drd; set DRD_SHIM to its path", directory);
}
