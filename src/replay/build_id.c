#include "replay/manifest.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool build_id_read(const char *path, struct build_id *out, struct drd_error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    bool is_elf = elf && elf_kind(elf) == ELF_K_ELF;
    const void *id = NULL;
    ssize_t length = is_elf ? dwelf_elf_gnu_build_id(elf, &id) : 0;
    out->length = 0;
    if (length > 0 && length <= BUILD_ID_MAX) {
        memcpy(out->byte, id, (size_t)length);
        out->length = (size_t)length;
    }
    elf_end(elf);
    close(fd);
    return is_elf || error_set(e, DRD_EXIT_CANNOT, "%s: not an ELF file", path);
}

const char *build_id_debug_directory(void)
{
    const char *directory = getenv("DRD_DEBUG_DIR");
    return directory && *directory ? directory : BUILD_ID_DEBUG;
}

/* The layout that gdb, elfutils and Debian's -dbgsym packages share:
 * https://sourceware.org/gdb/current/onlinedocs/gdb.html/Separate-Debug-Files.html */
bool build_id_debug_path(const char *directory, const struct build_id *id, char *out, size_t size)
{
    char hex[2 * BUILD_ID_MAX + 1];
    if (id->length < 2)
        return false;
    build_id_text(id, hex, sizeof hex);
    int n = snprintf(out, size, "%s/.build-id/%.2s/%s.debug", directory, hex, hex + 2);
    return n > 0 && (size_t)n < size;
}

bool build_id_debug_file(const struct build_id *id, char *out, size_t size)
{
    struct build_id found;
    struct drd_error ignored = { 0 };
    return build_id_debug_path(build_id_debug_directory(), id, out, size) && build_id_read(out, &found, &ignored) &&
           found.length == id->length && !memcmp(found.byte, id->byte, id->length);
}

void build_id_text(const struct build_id *id, char *out, size_t size)
{
    if (!id->length)
        snprintf(out, size, "none");
    for (size_t i = 0; i < id->length && 2 * i + 3 <= size; i++)
        snprintf(out + 2 * i, 3, "%02x", id->byte[i]);
}
