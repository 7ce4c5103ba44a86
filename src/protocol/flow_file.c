#include "protocol/flow_internal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Remove "//", "/./" and "/../" in place; the path is absolute. Symbolic links are not known here. */
static void path_normalize(char *path)
{
    char *out = path;
    for (char *in = path; *in;) {
        while (*in == '/')
            in++;
        size_t n = strcspn(in, "/");
        if (n == 2 && in[0] == '.' && in[1] == '.') {
            while (out > path && *--out != '/')
                ;
        } else if (n && !(n == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

static const char *path_base(const struct process *p, int64_t directory)
{
    struct description *d = directory == AT_FDCWD ? NULL : table_get(p, directory);
    if (d && d->file)
        return d->file->path;
    return p->cwd ? p->cwd : "";
}

char *flow_path(const struct process *p, int64_t directory, struct trace_bytes path)
{
    size_t length = path.data ? strnlen((const char *)path.data, path.length) : 0;
    if (length > PATH_MAX)
        return NULL;
    const char *base = length && path.data[0] == '/' ? "" : path_base(p, directory);
    size_t base_length = strlen(base);
    char *absolute = malloc(base_length + length + 3);
    if (!absolute)
        return NULL;
    absolute[0] = '/'; /* also when nothing is known of the working directory */
    memcpy(absolute + 1, base, base_length);
    absolute[1 + base_length] = '/';
    if (length)
        memcpy(absolute + base_length + 2, path.data, length);
    absolute[base_length + length + 2] = '\0';
    path_normalize(absolute);
    return absolute;
}

static uint64_t path_key(const char *path)
{
    return map_key(path, strlen(path));
}

struct flow_file *flow_file_open(struct flow *f, const char *path)
{
    struct flow_file *file = map_get(&f->files, path_key(path));
    if (file)
        return file->references++, file;
    file = calloc(1, sizeof *file);
    if (!file || !(file->path = strdup(path)) || !map_put(&f->files, path_key(path), file)) {
        f->failed = true;
        if (file)
            free(file->path);
        free(file);
        return NULL;
    }
    file->named = true;
    file->references = 1;
    return file;
}

void flow_file_unref(struct flow *f, struct flow_file *file)
{
    if (!file || --file->references)
        return;
    if (file->named)
        map_remove(&f->files, path_key(file->path));
    if (f->on.file_freed)
        f->on.file_freed(f->on.context, file);
    free(file->path);
    free(file);
}

void flow_file_forget(struct flow *f, const char *path)
{
    struct flow_file *file = map_remove(&f->files, path_key(path));
    if (file)
        file->named = false;
}

void flow_file_rename(struct flow *f, const char *from, const char *to)
{
    flow_file_forget(f, to);
    struct flow_file *file = map_remove(&f->files, path_key(from));
    if (!file)
        return;
    char *path = strdup(to);
    if (!path || !map_put(&f->files, path_key(to), file)) {
        free(path);
        file->named = false;
        f->failed = true;
        return;
    }
    free(file->path);
    file->path = path;
}
