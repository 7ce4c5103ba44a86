#include "replay/object.h"

#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct object {
    int fd;
    Elf *elf;
    Elf_Data *table; /* its symbols, NULL if it has none */
    size_t symbols;
    size_t names;    /* the section that holds their names */
    char file[];     /* its base name */
};

/* The full table names static functions too; a stripped file has only that of what it exports. */
static void find_table(struct object *o)
{
    GElf_Shdr header;
    uint32_t best = SHT_NULL;
    for (Elf_Scn *s = NULL; best != SHT_SYMTAB && (s = elf_nextscn(o->elf, s));) {
        if (!gelf_getshdr(s, &header) || (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) || !header.sh_entsize)
            continue;
        best = header.sh_type;
        o->table = elf_getdata(s, NULL);
        o->symbols = header.sh_size / header.sh_entsize;
        o->names = header.sh_link;
    }
}

struct object *object_open(const char *path, const struct build_id *recorded)
{
    struct drd_error ignored = { 0 };
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    if (!recorded->length || !slash || !manifest_check_image(path, recorded, &ignored))
        return NULL;
    struct object *o = calloc(1, sizeof *o + strlen(file) + 1);
    if (!o)
        return NULL;
    strcpy(o->file, file);
    elf_version(EV_CURRENT);
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    o->elf = o->fd < 0 ? NULL : elf_begin(o->fd, ELF_C_READ_MMAP, NULL);
    if (o->elf)
        find_table(o);
    return o;
}

void object_close(struct object *o)
{
    if (!o)
        return;
    elf_end(o->elf);
    if (o->fd >= 0)
        close(o->fd);
    free(o);
}

bool object_covers(const struct object *o, uint64_t offset)
{
    size_t count = 0;
    GElf_Phdr segment;
    if (!o->elf || elf_getphdrnum(o->elf, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(o->elf, (int)i, &segment) && segment.p_type == PT_LOAD && offset >= segment.p_vaddr &&
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

/* Of several at one place the one that other files know is the name to give. */
static bool symbol_better(const GElf_Sym *s, const GElf_Sym *than)
{
    if (s->st_value != than->st_value)
        return s->st_value > than->st_value;
    return GELF_ST_BIND(s->st_info) == STB_GLOBAL && GELF_ST_BIND(than->st_info) != STB_GLOBAL;
}

static const char *find_symbol(const struct object *o, uint64_t offset, uint64_t *inside)
{
    GElf_Sym s, best = { 0 };
    bool found = false;
    for (size_t i = 0; o->table && i < o->symbols && gelf_getsym(o->table, (int)i, &s); i++)
        if (symbol_holds(&s, offset) && (!found || symbol_better(&s, &best))) {
            best = s;
            found = true;
        }
    *inside = offset - best.st_value;
    return found ? elf_strptr(o->elf, o->names, best.st_name) : NULL;
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
