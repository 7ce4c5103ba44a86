#include "replay/object.h"

#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/pack.h"

/* An ELF file that is open. */
struct image {
    int fd;
    Elf *elf;
};

struct object {
    struct image program, debug; /* debug: the symbols that were stripped from it, where they are installed */
    Elf *named;                  /* the one of both that has the table */
    Elf_Data *table;             /* its symbols, NULL if it has none */
    size_t symbols;
    size_t names;                /* the section that holds their names */
    char file[];                 /* its base name */
};

static void image_open(struct image *i, const char *path)
{
    i->fd = open(path, O_RDONLY | O_CLOEXEC);
    i->elf = i->fd < 0 ? NULL : elf_begin(i->fd, ELF_C_READ_MMAP, NULL);
}

/* From the pack; not one that cannot be read, or says it is another build than it is. */
static bool image_unpack(struct image *i, struct store *s, const char *path, const struct build_id *id)
{
    char hex[2 * BUILD_ID_MAX + 1], file[64];
    struct build_id found;
    struct drd_error ignored = { 0 };
    build_id_text(id, hex, sizeof hex);
    i->elf = NULL;
    i->fd = s ? memfd_create("drd-object", MFD_CLOEXEC) : -1;
    if (i->fd < 0)
        return false;
    snprintf(file, sizeof file, "/proc/self/fd/%d", i->fd);
    if (pack_extract_path(s, path, hex, i->fd, &ignored) > 0 && build_id_read(file, &found, &ignored) &&
        found.length == id->length && !memcmp(found.byte, id->byte, id->length))
        i->elf = elf_begin(i->fd, ELF_C_READ_MMAP, NULL);
    if (!i->elf) {
        close(i->fd);
        i->fd = -1;
    }
    return i->elf != NULL;
}

static void image_close(struct image *i)
{
    elf_end(i->elf);
    if (i->fd >= 0)
        close(i->fd);
}

/* The full table names static functions too; a stripped file has only that of what it exports. */
static bool find_table(struct object *o, Elf *elf, uint32_t type)
{
    GElf_Shdr header;
    for (Elf_Scn *s = NULL; elf && (s = elf_nextscn(elf, s));) {
        if (!gelf_getshdr(s, &header) || header.sh_type != type || !header.sh_entsize)
            continue;
        o->named = elf;
        o->table = elf_getdata(s, NULL);
        o->symbols = header.sh_size / header.sh_entsize;
        o->names = header.sh_link;
        return o->table != NULL;
    }
    return false;
}

static void find_names(struct object *o, struct store *s, const struct build_id *id)
{
    char path[4096];
    if (find_table(o, o->program.elf, SHT_SYMTAB))
        return;
    if (build_id_debug_file(id, path, sizeof path))
        image_open(&o->debug, path);
    else if (build_id_debug_path(BUILD_ID_DEBUG, id, path, sizeof path))
        image_unpack(&o->debug, s, path, id);
    if (!find_table(o, o->debug.elf, SHT_SYMTAB))
        find_table(o, o->program.elf, SHT_DYNSYM);
}

struct object *object_open(struct store *s, const char *path, const struct build_id *recorded)
{
    struct drd_error ignored = { 0 };
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    if (!recorded->length || !slash)
        return NULL;
    struct object *o = calloc(1, sizeof *o + strlen(file) + 1);
    if (!o)
        return NULL;
    strcpy(o->file, file);
    elf_version(EV_CURRENT);
    o->debug.fd = -1;
    o->program.fd = -1;
    if (manifest_check_image(NULL, path, recorded, &ignored))
        image_open(&o->program, path);
    else if (!image_unpack(&o->program, s, path, recorded)) {
        free(o);
        return NULL;
    }
    find_names(o, s, recorded);
    return o;
}

void object_close(struct object *o)
{
    if (!o)
        return;
    image_close(&o->program);
    image_close(&o->debug);
    free(o);
}

bool object_covers(const struct object *o, uint64_t offset)
{
    size_t count = 0;
    GElf_Phdr segment;
    if (!o->program.elf || elf_getphdrnum(o->program.elf, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(o->program.elf, (int)i, &segment) && segment.p_type == PT_LOAD && offset >= segment.p_vaddr &&
            offset - segment.p_vaddr < segment.p_memsz)
            return true;
    return false;
}

/* Functions only; hand-written ones have no size and are known at their first byte. */
static bool symbol_holds(const GElf_Sym *s, uint64_t offset)
{
    int type = GELF_ST_TYPE(s->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && s->st_shndx != SHN_UNDEF && offset >= s->st_value &&
           (offset == s->st_value || offset - s->st_value < s->st_size);
}

/* Of several at one place the one that other files know is the name to give, and not libc's name for itself. */
static int symbol_rank(const struct object *o, const GElf_Sym *s)
{
    const char *name = elf_strptr(o->named, o->names, s->st_name);
    return (GELF_ST_BIND(s->st_info) != STB_LOCAL ? 2 : 0) + (name && *name != '_');
}

static bool symbol_better(const struct object *o, const GElf_Sym *s, const GElf_Sym *than)
{
    if (s->st_value != than->st_value)
        return s->st_value > than->st_value;
    return symbol_rank(o, s) > symbol_rank(o, than);
}

static const char *find_symbol(const struct object *o, uint64_t offset, uint64_t *inside)
{
    GElf_Sym s, best = { 0 };
    bool found = false;
    for (size_t i = 0; o->table && i < o->symbols && gelf_getsym(o->table, (int)i, &s); i++)
        if (symbol_holds(&s, offset) && (!found || symbol_better(o, &s, &best))) {
            best = s;
            found = true;
        }
    *inside = offset - best.st_value;
    return found ? elf_strptr(o->named, o->names, best.st_name) : NULL;
}

void object_name_at(const struct object *o, uint64_t offset, char *out, size_t size)
{
    uint64_t inside;
    const char *name = find_symbol(o, offset, &inside);
    if (!name || !*name)
        snprintf(out, size, "%s+0x%" PRIx64, o->file, offset);
    else if (inside)
        snprintf(out, size, "%s+0x%" PRIx64, name, inside);
    else
        snprintf(out, size, "%s", name);
}
