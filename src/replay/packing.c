#include "replay/packing.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/manifest.h"
#include "store/pack.h"
#include "trace/record.h"

/* A file that a process had mapped. */
struct wanted {
    char *path;
    struct build_id id;
};

struct packing {
    struct store *run, *pack;
    const struct packing_options *options;
    struct packing_totals *totals;
    struct wanted *file;
    size_t files;
};

/* ---- what is wanted ---- */

static bool wanted_add(struct packing *p, const char *path, const struct build_id *id, struct drd_error *e)
{
    if (path[0] != '/')
        return true; /* the vdso; and what ld.so was told by a relative path is found by no replay */
    for (size_t i = 0; i < p->files; i++)
        if (!strcmp(p->file[i].path, path)) {
            if (!p->file[i].id.length) /* the first piece of it that was seen may have been another than its head */
                p->file[i].id = *id;
            return true;
        }
    struct wanted *grown = realloc(p->file, (p->files + 1) * sizeof *grown);
    char *copy = grown ? strdup(path) : NULL;
    if (grown)
        p->file = grown;
    if (!copy)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    p->file[p->files++] = (struct wanted){ copy, *id };
    return true;
}

static bool want_manifest(struct packing *p, const struct trace_event *start, struct drd_error *e)
{
    struct manifest m;
    struct drd_error ignored = { 0 };
    if (!manifest_parse(&m, start->raw.data, start->raw.length, &ignored))
        return true; /* of a forked process: the parent's */
    bool ok = true;
    for (size_t i = 0; ok && i < m.objects; i++) /* the loader calls the program itself "" */
        ok = wanted_add(p, m.object[i].path[0] ? m.object[i].path : m.program, &m.object[i].id, e);
    manifest_fini(&m);
    return ok;
}

static bool want_image(struct packing *p, const struct trace_event *image, struct drd_error *e)
{
    char path[PATH_MAX];
    struct trace_bytes name = image->field_bytes[0], id = image->field_bytes[3];
    struct build_id recorded = { .length = id.length };
    if (!name.data || name.length >= sizeof path || id.length > BUILD_ID_MAX)
        return true;
    memcpy(path, name.data, name.length);
    path[name.length] = 0;
    if (id.length)
        memcpy(recorded.byte, id.data, id.length);
    return wanted_add(p, path, &recorded, e);
}

static bool want_process(struct packing *p, uint32_t number, struct drd_error *e)
{
    struct trace_event event;
    struct stream *st = stream_open(p->run, number, e);
    int more = st ? stream_next(st, &event, e) : -1;
    bool ok = more >= 0 && (more == 0 || want_manifest(p, &event, e));
    while (ok && (more = stream_next(st, &event, e)) > 0)
        if (event.code == TRACE_IMAGE)
            ok = want_image(p, &event, e);
    stream_close(st);
    return ok && more >= 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct wanted *)a)->path, ((const struct wanted *)b)->path);
}

static bool want_all(struct packing *p, struct drd_error *e)
{
    struct store_process *process = NULL;
    size_t count = 0;
    bool ok = store_processes(p->run, &process, &count, e);
    for (size_t i = 0; i < count; i++) {
        if (ok && process[i].number && process[i].events)
            ok = want_process(p, process[i].number, e);
        store_process_fini(&process[i]);
    }
    free(process);
    if (p->files)
        qsort(p->file, p->files, sizeof *p->file, by_path); /* whatever the order, the same pack */
    return ok;
}

/* ---- putting it in ---- */

static bool put(struct packing *p, const char *path, int fd, const char *id, struct drd_error *e)
{
    uint64_t stored = 0;
    off_t size = lseek(fd, 0, SEEK_END);
    bool ok = pack_add(p->pack, path, fd, id, &stored, e);
    close(fd);
    p->totals->files += ok;
    p->totals->bytes += ok && size > 0 ? (uint64_t)size : 0;
    p->totals->stored += stored;
    return ok;
}

/* From the run itself, if it is a pack, or was one. */
static int open_packed(struct packing *p, const char *path, const char *id)
{
    struct drd_error ignored = { 0 };
    int fd = *id ? memfd_create("drd-object", MFD_CLOEXEC) : -1;
    if (fd < 0 || (pack_extract_path(p->run, path, id, fd, &ignored) > 0 && !fchmod(fd, 0755)))
        return fd;
    close(fd);
    return -1;
}

static void id_text(const struct build_id *id, char out[2 * BUILD_ID_MAX + 1])
{
    *out = 0;
    if (id->length)
        build_id_text(id, out, 2 * BUILD_ID_MAX + 1);
}

static bool leave_out(struct packing *p, const struct drd_error *why, struct drd_error *e)
{
    if (!p->options->force)
        return *e = *why, false;
    p->totals->left_out++;
    if (p->options->notice)
        p->options->notice(p->options->context, why->message);
    return true;
}

static bool put_file(struct packing *p, const struct wanted *w, struct drd_error *e)
{
    char id[2 * BUILD_ID_MAX + 1];
    struct drd_error why = { 0 };
    id_text(&w->id, id);
    bool here = manifest_check_image(NULL, w->path, &w->id, &why);
    int fd = here ? open(w->path, O_RDONLY | O_CLOEXEC) : open_packed(p, w->path, id);
    if (fd < 0 && here)
        error_set_errno(&why, DRD_EXIT_CANNOT, "%s", w->path);
    return fd < 0 ? leave_out(p, &why, e) : put(p, w->path, fd, id, e);
}

/* What ld.so reads beside them: its cache is mapped while it works, and so has its part in where the libraries come to lie. */
static bool put_loader_files(struct packing *p, struct drd_error *e)
{
    static const char *const files[] = { "/etc/ld.so.cache", "/etc/ld.so.preload" };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof files / sizeof *files; i++) {
        int fd = open(files[i], O_RDONLY | O_CLOEXEC);
        ok = fd < 0 || put(p, files[i], fd, "", e);
    }
    return ok;
}

/* ---- symbols ---- */

static int open_debug(struct packing *p, const struct build_id *id, char path[PATH_MAX])
{
    char here[PATH_MAX], hex[2 * BUILD_ID_MAX + 1];
    id_text(id, hex);
    if (!build_id_debug_path(BUILD_ID_DEBUG, id, path, PATH_MAX))
        return -1;
    return build_id_debug_file(id, here, sizeof here) ? open(here, O_RDONLY | O_CLOEXEC) : open_packed(p, path, hex);
}

static bool put_debug(struct packing *p, const struct build_id *id, const char *path, int fd, struct drd_error *e)
{
    char hex[2 * BUILD_ID_MAX + 1];
    id_text(id, hex);
    p->totals->symbols++;
    return put(p, path, fd, hex, e);
}

/* What several files of symbols have in common, dwz(1) moves to one that they lead to by its build-id. */
static bool common_id(int fd, struct build_id *out)
{
    const char *name;
    const void *id;
    lseek(fd, 0, SEEK_SET);
    Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
    ssize_t length = dwarf ? dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) : 0;
    bool found = length > 0 && length <= BUILD_ID_MAX;
    out->length = 0;
    if (found) {
        memcpy(out->byte, id, (size_t)length);
        out->length = (size_t)length;
    }
    dwarf_end(dwarf);
    return found;
}

static bool put_symbols(struct packing *p, const struct build_id *id, struct drd_error *e)
{
    char path[PATH_MAX];
    struct build_id common = { 0 };
    int fd = open_debug(p, id, path);
    if (fd < 0)
        return true;
    bool more = common_id(fd, &common);
    if (!put_debug(p, id, path, fd, e))
        return false;
    fd = more ? open_debug(p, &common, path) : -1;
    return fd < 0 || put_debug(p, &common, path, fd, e);
}

/* ---- all of it ---- */

static bool put_all(struct packing *p, struct drd_error *e)
{
    bool ok = put_loader_files(p, e);
    for (size_t i = 0; ok && i < p->files; i++)
        ok = put_file(p, &p->file[i], e) && (!p->options->symbols || put_symbols(p, &p->file[i].id, e));
    return ok;
}

bool packing_fill(struct store *run, struct store *pack, const struct packing_options *options, struct packing_totals *totals,
                  struct drd_error *e)
{
    struct packing p = { .run = run, .pack = pack, .options = options, .totals = totals };
    *totals = (struct packing_totals){ 0 };
    elf_version(EV_CURRENT);
    bool ok = want_all(&p, e) && pack_tables(pack, e) && put_all(&p, e);
    for (size_t i = 0; i < p.files; i++)
        free(p.file[i].path);
    free(p.file);
    return ok;
}
