#include "store/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/pack.h"
#include "store/refs.h"

/* The directory for a run of the store; false if the run is not in a runs/. */
static bool objects_of(const char *run, char out[PATH_MAX])
{
    char real[PATH_MAX];
    if (!realpath(run, real))
        return false;
    char *slash = strrchr(real, '/');
    *slash = 0;
    slash = strrchr(real, '/');
    if (!slash || strcmp(slash, "/runs"))
        return false;
    *slash = 0;
    return snprintf(out, PATH_MAX, "%s/objects", real) < PATH_MAX;
}

static bool object_path(const char *objects, const uint8_t *digest, char out[PATH_MAX])
{
    char hex[SHA256_TEXT];
    sha256_text(digest, hex);
    return snprintf(out, PATH_MAX, "%s/%.2s/%s", objects, hex, hex + 2) < PATH_MAX;
}

int objects_open(const char *run, const uint8_t *digest)
{
    char objects[PATH_MAX], path[PATH_MAX];
    if (!objects_of(run, objects) || !object_path(objects, digest, path))
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* ---- into it ---- */

static bool make_directories(const char *objects, const char *path, struct drd_error *e)
{
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s", path);
    *strrchr(directory, '/') = 0;
    if ((mkdir(objects, 0700) && errno != EEXIST) || (mkdir(directory, 0700) && errno != EEXIST))
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot make %s", directory);
    return true;
}

/* Under another name first: what has its name is whole. */
static bool object_write(struct store *s, const struct pack_file *f, const char *path, struct drd_error *e)
{
    char part[PATH_MAX + 16];
    snprintf(part, sizeof part, "%s.XXXXXX", path);
    int fd = mkostemp(part, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "cannot write to %s", path);
    bool ok = pack_extract(s, f, fd, e);
    if (ok && fchmod(fd, f->executable ? 0500 : 0400))
        ok = error_set_errno(e, DRD_EXIT_FATAL, "%s", part);
    if (close(fd) && ok)
        ok = error_set_errno(e, DRD_EXIT_FATAL, "%s", part);
    if (ok && rename(part, path))
        ok = error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    if (!ok)
        unlink(part);
    return ok;
}

static bool objects_write(struct store *s, const char *objects, const struct pack_file *list, size_t count, uint64_t *bytes,
                          struct drd_error *e)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < count; i++) {
        if (!object_path(objects, list[i].digest, path))
            return error_set(e, DRD_EXIT_FATAL, "the path of the store is too long");
        if (!access(path, F_OK))
            continue;
        if (!make_directories(objects, path, e) || !object_write(s, &list[i], path, e))
            return false;
        *bytes += list[i].size;
    }
    return true;
}

bool pack_objects_out(struct store *s, uint64_t *bytes, struct drd_error *e)
{
    char objects[PATH_MAX];
    struct pack_file *list;
    size_t count;
    *bytes = 0;
    if (!objects_of(s->path, objects))
        return error_set(e, DRD_EXIT_FATAL, "%s: not a run of a store directory", s->path);
    if (!pack_files(s, &list, &count, e))
        return false;
    bool ok = objects_write(s, objects, list, count, bytes, e);
    pack_files_free(list, count);
    return ok && store_execute(s, "DROP TABLE IF EXISTS packed_object; VACUUM", e);
}

/* ---- out of it ---- */

/* Digests that some run needs, sorted. */
struct needed {
    uint8_t (*digest)[SHA256_SIZE];
    size_t count;
};

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_SIZE);
}

static bool needed_add(struct needed *n, const char *run, struct drd_error *e)
{
    struct pack_file *list = NULL;
    size_t count = 0;
    struct store *s = store_open(run, STORE_READ, e);
    bool ok = s && pack_files(s, &list, &count, e);
    uint8_t (*grown)[SHA256_SIZE] = ok && count ? realloc(n->digest, (n->count + count) * sizeof *grown) : NULL;
    if (ok && count && !grown)
        ok = error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (grown)
        n->digest = grown;
    for (size_t i = 0; ok && i < count; i++)
        memcpy(n->digest[n->count++], list[i].digest, SHA256_SIZE);
    pack_files_free(list, count);
    store_close(s);
    return ok;
}

static bool hex_digest(const char *directory, const char *name, uint8_t out[SHA256_SIZE])
{
    char hex[SHA256_TEXT + 1];
    if (strlen(directory) != 2 || snprintf(hex, sizeof hex, "%s%s", directory, name) != SHA256_TEXT - 1)
        return false;
    for (int i = 0; i < SHA256_SIZE; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &out[i]) != 1)
            return false;
    return true;
}

static void sweep_directory(const char *objects, const char *name, const struct needed *n, uint64_t *bytes)
{
    char path[PATH_MAX];
    uint8_t digest[SHA256_SIZE];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/%s", objects, name) >= PATH_MAX)
        return;
    DIR *d = opendir(path);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (!hex_digest(name, entry->d_name, digest) || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            (n->count && bsearch(digest, n->digest, n->count, SHA256_SIZE, by_bytes)))
            continue;
        if (!unlinkat(dirfd(d), entry->d_name, 0))
            *bytes += (uint64_t)st.st_size;
    }
    if (d)
        closedir(d);
    rmdir(path); /* if it is empty now */
}

bool pack_objects_sweep(uint64_t *bytes, struct drd_error *e)
{
    char store[PATH_MAX], objects[PATH_MAX + 16];
    struct refs_entry *run = NULL;
    struct needed n = { 0 };
    size_t count = 0;
    *bytes = 0;
    if (refs_directory(store, e) <= 0)
        return true;
    snprintf(objects, sizeof objects, "%s/objects", store);
    DIR *d = opendir(objects);
    if (!d)
        return true; /* nothing was unpacked here */
    bool ok = refs_list(&run, &count, e);
    for (size_t i = 0; ok && i < count; i++)
        ok = needed_add(&n, run[i].path, e); /* one that cannot be read may need anything */
    if (n.count)
        qsort(n.digest, n.count, SHA256_SIZE, by_bytes);
    for (struct dirent *entry; ok && (entry = readdir(d));)
        if (strlen(entry->d_name) == 2 && entry->d_name[0] != '.')
            sweep_directory(objects, entry->d_name, &n, bytes);
    closedir(d);
    free(n.digest);
    free(run);
    return ok;
}
