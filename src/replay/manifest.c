#include "replay/manifest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "trace/msgpack.h"
#include "trace/record.h"

/* Newer than the headers of Debian 12: the stack a signal frame needs, which grows with the vector registers. */
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static char *text_copy(const struct unpack *u)
{
    return strndup(u->data ? (const char *)u->data : "", u->length);
}

static const uint8_t *take_text(const uint8_t *p, const uint8_t *end, void *target)
{
    struct unpack u;
    char **out = target;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_STR)
        return NULL;
    free(*out);
    return (*out = text_copy(&u)) ? p : NULL;
}

static const uint8_t *take_int(const uint8_t *p, const uint8_t *end, void *target)
{
    struct unpack u;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_INT)
        return NULL;
    *(int64_t *)target = u.value;
    return p;
}

static void list_free(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

/* An array of strings. The count is checked against the bytes left before it is believed. */
static const uint8_t *take_list(const uint8_t *p, const uint8_t *end, void *target)
{
    struct unpack u;
    char ***out = target;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_ARRAY || u.count > (size_t)(end - p))
        return NULL;
    list_free(*out);
    *out = calloc((size_t)u.count + 1, sizeof **out);
    for (uint32_t i = 0; *out && p && i < u.count; i++)
        p = take_text(p, end, &(*out)[i]);
    return *out ? p : NULL;
}

static const uint8_t *take_object(const uint8_t *p, const uint8_t *end, struct manifest_object *o)
{
    struct unpack u;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_ARRAY || u.count != 3)
        return NULL;
    if (!(p = take_text(p, end, &o->path)) || !(p = take_int(p, end, &o->base)))
        return NULL;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_BIN || u.length > BUILD_ID_MAX)
        return NULL;
    memcpy(o->id.byte, u.data, u.length);
    o->id.length = u.length;
    return p;
}

static void objects_free(struct manifest *m)
{
    for (size_t i = 0; i < m->objects; i++)
        free(m->object[i].path);
    free(m->object);
    m->object = NULL;
    m->objects = 0;
}

static const uint8_t *take_objects(const uint8_t *p, const uint8_t *end, struct manifest *m)
{
    struct unpack u;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_ARRAY || u.count > (size_t)(end - p))
        return NULL;
    objects_free(m);
    m->object = calloc((size_t)u.count + 1, sizeof *m->object);
    if (!m->object)
        return NULL;
    m->objects = u.count;
    for (uint32_t i = 0; p && i < u.count; i++)
        p = take_object(p, end, &m->object[i]);
    return p;
}

static const uint8_t *take_auxv(const uint8_t *p, const uint8_t *end, struct manifest *m)
{
    struct unpack u;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_BIN)
        return NULL;
    free(m->auxv);
    m->auxv = malloc((size_t)u.length + 1);
    if (!m->auxv)
        return NULL;
    memcpy(m->auxv, u.data, u.length);
    m->auxv_length = u.length;
    return p;
}

static bool key_is(const struct unpack *key, const char *name)
{
    return key->length == strlen(name) && !memcmp(key->data, name, key->length);
}

/* Facts that replay has no use for are passed over. */
static const uint8_t *take_fact(struct manifest *m, const struct unpack *key, const uint8_t *p, const uint8_t *end)
{
    const struct {
        const char *key;
        const uint8_t *(*take)(const uint8_t *p, const uint8_t *end, void *target);
        void *target;
    } facts[] = {
        { "exe", take_text, &m->exe }, { "program", take_text, &m->program }, { "cwd", take_text, &m->cwd },
        { "argv", take_list, &m->argv }, { "env", take_list, &m->env }, { "stack_limit", take_int, &m->stack_limit },
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (key_is(key, facts[i].key))
            return facts[i].take(p, end, facts[i].target);
    if (key_is(key, "objects"))
        return take_objects(p, end, m);
    return key_is(key, "auxv") ? take_auxv(p, end, m) : unpack_skip(p, end);
}

static bool parse_record(struct manifest *m, const uint8_t *p, const uint8_t *end)
{
    struct unpack u;
    int64_t code = 0;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_ARRAY || u.count < 2 || !(p = take_int(p, end, &code)) || code != TRACE_START)
        return false;
    p = unpack_next(p, end, &u);
    if (!p || u.type != UNPACK_MAP)
        return false;
    for (uint32_t pairs = u.count; p && pairs; pairs--) {
        p = unpack_next(p, end, &u);
        if (!p || u.type != UNPACK_STR)
            return false;
        p = take_fact(m, &u, p, end);
    }
    return p != NULL;
}

bool manifest_parse(struct manifest *m, const uint8_t *record, size_t length, struct drd_error *e)
{
    *m = (struct manifest){ .stack_limit = 8 << 20 };
    bool ok = parse_record(m, record, record + length) && m->exe && m->argv && m->argv[0] && m->env;
    if (ok && !m->program)
        ok = (m->program = strdup(m->exe)) != NULL;
    if (ok && !m->cwd)
        ok = (m->cwd = strdup("/")) != NULL;
    if (ok)
        return true;
    manifest_fini(m);
    return error_set(e, DRD_EXIT_FATAL, "the stream does not begin with how the process was started");
}

void manifest_fini(struct manifest *m)
{
    free(m->exe);
    free(m->program);
    free(m->cwd);
    list_free(m->argv);
    list_free(m->env);
    objects_free(m);
    free(m->auxv);
    *m = (struct manifest){ 0 };
}

bool manifest_auxv(const struct manifest *m, uint64_t type, uint64_t *value)
{
    for (size_t i = 0; i + 16 <= m->auxv_length; i += 16) {
        uint64_t pair[2];
        memcpy(pair, m->auxv + i, sizeof pair);
        if (pair[0] == type)
            return *value = pair[1], true;
    }
    return false;
}

/* The recorded shim stands first: of an older DRD it does not know of other builds. */
static bool shim_replace(struct manifest *m, const char *shim)
{
    static const char name[] = "LD_PRELOAD=";
    char **entry = m->env, *replaced;
    while (*entry && strncmp(*entry, name, sizeof name - 1))
        entry++;
    if (!*entry)
        return true;
    if (asprintf(&replaced, "%s%s%s", name, shim, *entry + strcspn(*entry, ":")) < 0)
        return false;
    free(*entry);
    *entry = replaced;
    return true;
}

bool manifest_other_build(struct manifest *m, const char *path, const char *shim)
{
    char *exe = strdup(path), *program = strdup(path);
    if (!exe || !program || !shim_replace(m, shim)) {
        free(exe);
        free(program);
        return false;
    }
    free(m->exe);
    free(m->program);
    m->exe = exe;
    m->program = program;
    return true;
}

bool manifest_check_image(const char *root, const char *path, const struct build_id *recorded, struct drd_error *e)
{
    struct build_id present;
    char file[8192];
    char was[2 * BUILD_ID_MAX + 1], is[2 * BUILD_ID_MAX + 1];
    if (!recorded->length || path[0] != '/')
        return true; /* nothing to compare, or nothing on disk: the vdso */
    snprintf(file, sizeof file, "%s%s", root ? root : "", path);
    if (!build_id_read(file, &present, e))
        return root ? error_set(e, DRD_EXIT_CANNOT, "%s: neither here nor in the pack: it was gone when the run was packed", path)
                    : error_wrap(e, "recorded file cannot be read (put it back, or --force)");
    if (present.length == recorded->length && !memcmp(present.byte, recorded->byte, present.length))
        return true;
    build_id_text(recorded, was, sizeof was);
    build_id_text(&present, is, sizeof is);
    return error_set(e, DRD_EXIT_CANNOT, "%s is another build: recorded build-id %s, present %s; "
                     "install the recorded build again, record anew, or try with --force", path, was, is);
}

static bool check_objects(const struct manifest *m, bool libraries, struct drd_error *e)
{
    for (size_t i = 0; i < m->objects; i++) {
        const struct manifest_object *o = &m->object[i];
        if (libraries && (!o->path[0] || !strcmp(o->path, m->program) || strstr(o->path, "/libdrd_shim.so")))
            continue;
        /* the loader calls the program itself "" */
        if (!manifest_check_image(m->root, o->path[0] ? o->path : m->program, &o->id, e))
            return false;
    }
    return true;
}

bool manifest_check_files(const struct manifest *m, struct drd_error *e)
{
    return check_objects(m, false, e);
}

bool manifest_check_libraries(const struct manifest *m, struct drd_error *e)
{
    return check_objects(m, true, e);
}

bool manifest_check_machine(const struct manifest *m, struct drd_error *e)
{
    uint64_t page;
    if (manifest_auxv(m, AT_PAGESZ, &page) && page != getauxval(AT_PAGESZ))
        return error_set(e, DRD_EXIT_CANNOT, "recorded with pages of %llu bytes, this machine has %lu",
                         (unsigned long long)page, getauxval(AT_PAGESZ));
    return true;
}

/* Not getauxval(3): glibc on x86-64 hands out a number of its own as AT_HWCAP. */
static bool own_auxv(uint64_t type, uint64_t *value)
{
    uint8_t bytes[4096];
    int fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (fd >= 0)
        close(fd);
    const struct manifest own = { .auxv = bytes, .auxv_length = n > 0 ? (size_t)n : 0 };
    return manifest_auxv(&own, type, value);
}

bool manifest_cpu_differs(const struct manifest *m, char *out, size_t size)
{
    static const struct { uint64_t type; const char *name; } features[] = {
        { AT_HWCAP, "AT_HWCAP" }, { AT_HWCAP2, "AT_HWCAP2" }, { AT_MINSIGSTKSZ, "AT_MINSIGSTKSZ" },
    };
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        uint64_t was, is;
        if (!manifest_auxv(m, features[i].type, &was) || !own_auxv(features[i].type, &is) || was == is)
            continue;
        snprintf(out, size, "recorded on another kind of processor (%s %#llx, here %#llx): libc may choose other code",
                 features[i].name, (unsigned long long)was, (unsigned long long)is);
        return true;
    }
    return false;
}
