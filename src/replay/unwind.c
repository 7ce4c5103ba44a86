/* The frames of a stopped process by libdw: elfutils/libdwfl.h says what each call does, eu-stack(1) does the same. */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/stack.h"

#define PLACES_MOST 512 /* of a deeper stack the rest is left out */
#define START_BYTES 64  /* no _start is longer */

/* A place in the code: where a function goes on when what it called returns, or, if `here`, where it is. */
struct place {
    Dwfl_Module *module;
    uint64_t pc;
    bool here;
};

struct unwind {
    struct stack *stack;
    const struct stack_process *process;
    Dwfl *dwfl;
    struct place place[PLACES_MOST];
    size_t places;
    bool lost; /* it went on where no file is known to be */
};

/* ---- the process, as libdw asks for it ---- */

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread)
{
    (void)dwfl;
    if (*thread)
        return 0;
    *thread = argument;
    return (pid_t)((struct unwind *)argument)->process->file->pid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *argument, void **thread)
{
    (void)dwfl, (void)tid;
    *thread = argument;
    return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *argument)
{
    (void)dwfl;
    return stack_read(((struct unwind *)argument)->process, address, word, sizeof *word);
}

/* What the shim does not know of it need not keep, and no caller's frame depends on it. */
static bool set_registers(Dwfl_Thread *thread, void *argument)
{
    const struct replay_file *file = ((struct unwind *)argument)->process->file;
    Dwarf_Word word[REPLAY_REGISTERS];
    for (int i = 0; i < REPLAY_REGISTERS; i++)
        word[i] = file->registers[i];
    if (!dwfl_thread_state_registers(thread, 0, REPLAY_REGISTERS, word))
        return false;
    dwfl_thread_state_register_pc(thread, word[REPLAY_REGISTERS - 1]);
    return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread, .get_thread = get_thread, .memory_read = memory_read, .set_initial_registers = set_registers,
};

static Dwfl *modules_open(const struct stack *s)
{
    static char path[8192], *path_pointer = path;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf, .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address, .debuginfo_path = &path_pointer,
    };
    if (s->root)
        snprintf(path, sizeof path, ":.debug:%.3000s%s:%.4000s", s->root, BUILD_ID_DEBUG, build_id_debug_directory());
    else
        snprintf(path, sizeof path, ":.debug:%.4000s", build_id_debug_directory());
    setenv("DEBUGINFOD_TIMEOUT", "3", 0); /* s; where somebody set DEBUGINFOD_URLS, libdw asks for every file: debuginfod(7) */
    setenv("DEBUGINFOD_MAXTIME", "5", 0);
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (!dwfl)
        return NULL;
    dwfl_report_begin(dwfl);
    for (size_t i = 0; i < s->objects; i++) {
        struct stack_object *o = &s->object[i];
        char file[8192];
        snprintf(file, sizeof file, "%s%s", s->root ? s->root : "", o->path);
        Dwfl_Module *m = dwfl_report_elf(dwfl, o->path, file, -1, o->base, true);
        void **mine;
        if (m && dwfl_module_info(m, &mine, NULL, NULL, NULL, NULL, NULL, NULL))
            *mine = o;
    }
    dwfl_report_end(dwfl, NULL, NULL);
    return dwfl;
}

static int see_frame(Dwfl_Frame *frame, void *argument)
{
    struct unwind *u = argument;
    Dwarf_Addr pc;
    bool here;
    if (u->places == PLACES_MOST || !dwfl_frame_pc(frame, &pc, &here))
        return DWARF_CB_ABORT;
    Dwfl_Module *module = dwfl_addrmodule(u->dwfl, pc - !here);
    u->lost = !module && pc;
    if (!module)
        return DWARF_CB_ABORT;
    u->place[u->places++] = (struct place){ module, pc, here };
    return DWARF_CB_OK;
}

/* ---- what is shown ---- */

static const struct stack_object *object_of(Dwfl_Module *module)
{
    void **mine = NULL;
    dwfl_module_info(module, &mine, NULL, NULL, NULL, NULL, NULL, NULL);
    return mine ? *mine : NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_libc(const struct stack_object *object)
{
    static const char *const names[] = { "libc.so.", "ld-linux", "libpthread.so.", "librt.so.", "libc-2" };
    const char *name = base_name(object->path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i], strlen(names[i])))
            return true;
    return false;
}

static bool is_shim(const struct stack_object *object)
{
    return !strncmp(base_name(object->path), "libdrd_shim", 11);
}

/* Take out the shim, in the middle of which it stands, unless it computes. Where to begin: below libc, which only hands the call on. If all is
 * libc's, that is what there is. */
static size_t places_select(struct unwind *u)
{
    Dwfl_Module *shim = u->places && is_shim(object_of(u->place[0].module)) ? u->place[0].module : NULL;
    size_t kept = 0, first = 0;
    for (size_t i = 0; i < u->places; i++)
        if (u->place[i].module != shim)
            u->place[kept++] = u->place[i];
    u->places = kept;
    while (first < kept && is_libc(object_of(u->place[first].module)))
        first++;
    return first < kept ? first : 0;
}

static struct replay_frame *frame_add(struct stack *s, const struct place *place, const char *function)
{
    if (s->frames == FRAMES_MAX)
        return NULL;
    const struct stack_object *o = object_of(place->module);
    struct stack_frame *f = &s->frame[s->frames++];
    *f = (struct stack_frame){ .object = o, .frame = { .offset = place->pc - o->base } };
    snprintf(f->frame.function, sizeof f->frame.function, "%s", function ? function : "");
    snprintf(f->frame.object, sizeof f->frame.object, "%s", base_name(o->path));
    return &f->frame;
}

static void set_line(struct replay_frame *f, const char *file, int line)
{
    if (!f || !file || line <= 0)
        return;
    snprintf(f->file, sizeof f->file, "%s", file);
    f->line = (unsigned)line;
}

static void line_here(struct replay_frame *f, const struct place *place)
{
    Dwfl_Line *line = dwfl_module_getsrc(place->module, place->pc - !place->here);
    int number = 0;
    const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    set_line(f, file, number);
}

/* Where the function was called that the compiler put inline here. */
static void line_of_call(struct replay_frame *f, Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Attribute attribute;
    Dwarf_Word file, line;
    Dwarf_Files *files;
    size_t count;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) ||
        dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) ||
        dwarf_getsrcfiles(unit, &files, &count) || file >= count)
        return;
    set_line(f, dwarf_filesrc(files, file, NULL, NULL), (int)line);
}

/* The compilation unit; units without an entry in .debug_aranges (clang writes none) are asked one by one. */
static Dwarf_Die *unit_at(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);
    if (unit)
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, bias)))
        if (dwarf_haspc(unit, address - *bias) > 0)
            return unit;
    return NULL;
}

static bool is_function(Dwarf_Die *die)
{
    int tag = dwarf_tag(die);
    return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram || tag == DW_TAG_entry_point;
}

/* Functions put inline into each other, innermost first, down to the one that has the frame. */
static bool add_scopes(struct stack *s, const struct place *place, Dwarf_Die *unit, Dwarf_Die *innermost)
{
    Dwarf_Die *scope = NULL, *inlined = NULL;
    bool added = false;
    int n = dwarf_getscopes_die(innermost, &scope);
    for (int i = 0; i < n; i++) {
        if (!is_function(&scope[i]))
            continue;
        struct replay_frame *f = frame_add(s, place, dwarf_diename(&scope[i]));
        if (inlined)
            line_of_call(f, unit, inlined);
        else
            line_here(f, place);
        inlined = &scope[i];
        added = true;
        if (dwarf_tag(inlined) == DW_TAG_subprogram)
            break;
    }
    free(scope);
    return added;
}

static bool add_by_scopes(struct stack *s, const struct place *place)
{
    Dwarf_Addr bias = 0, address = place->pc - !place->here;
    Dwarf_Die *scope = NULL, *unit = unit_at(place->module, address, &bias);
    int n = unit ? dwarf_getscopes(unit, address - bias, &scope) : 0;
    bool added = false;
    for (int i = 0; i < n && !added; i++)
        if (is_function(&scope[i])) {
            added = add_scopes(s, place, unit, &scope[i]);
            break;
        }
    free(scope);
    return added;
}

/* A stripped program does not name it, but says where it is. */
static bool is_start(const struct place *place)
{
    GElf_Addr bias;
    GElf_Ehdr header;
    Elf *elf = dwfl_module_getelf(place->module, &bias);
    return elf && gelf_getehdr(elf, &header) && header.e_entry && place->pc - bias - header.e_entry < START_BYTES;
}

/* The nearest symbol below an address may be that of another function: it has to reach so far. */
static void add_by_symbol(struct stack *s, const struct place *place)
{
    GElf_Sym symbol;
    GElf_Off inside;
    const char *name = dwfl_module_addrinfo(place->module, place->pc - !place->here, &inside, &symbol, NULL, NULL, NULL);
    bool holds = name && (symbol.st_size ? inside < symbol.st_size : !inside);
    line_here(frame_add(s, place, holds ? name : is_start(place) ? "_start" : ""), place);
}

/* The functions of drd.h are DRD's, though they stand in the node. */
static bool is_mark(const struct replay_frame *f)
{
    return !strncmp(f->function, "drd_", 4) && (!*f->file || !strcmp(base_name(f->file), "drd.h"));
}

/* What called main, or the function of a thread. */
static bool is_below_main(const struct stack_frame *f)
{
    return is_libc(f->object) || !strcmp(f->frame.function, "_start");
}

static void frames_trim(struct stack *s)
{
    size_t marks = 0;
    while (marks + 1 < s->frames && is_mark(&s->frame[marks].frame))
        marks++;
    s->frames -= marks;
    memmove(s->frame, s->frame + marks, s->frames * sizeof *s->frame);
    while (s->frames > 1 && !is_libc(s->frame[0].object) && is_below_main(&s->frame[s->frames - 1]))
        s->frames--;
}

/* ---- Python ---- */

static void find_symbols(Dwfl_Module *module, struct stack_python *python)
{
    const struct { const char *name; uint64_t *address; } wanted[] = {
        { "_PyRuntime", &python->runtime }, { "Py_Version", &python->version }, { "PyCode_Type", &python->code_type },
        { "PyUnicode_Type", &python->unicode_type }, { "PyBytes_Type", &python->bytes_type },
    };
    GElf_Sym symbol;
    GElf_Addr address;
    int count = dwfl_module_getsymtab(module);
    for (int i = 1; i < count; i++) {
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        for (size_t k = 0; name && symbol.st_shndx != SHN_UNDEF && k < sizeof wanted / sizeof *wanted; k++)
            if (!strcmp(name, wanted[k].name))
                *wanted[k].address = address;
    }
}

static int see_module(Dwfl_Module *module, void **mine, const char *name, Dwarf_Addr start, void *argument)
{
    struct stack_python *python = argument;
    (void)mine, (void)start;
    name = base_name(name);
    if (strncmp(name, "python", 6) && strncmp(name, "libpython", 9))
        return DWARF_CB_OK;
    find_symbols(module, python);
    if (!python->runtime)
        return DWARF_CB_OK;
    python->object = name;
    return DWARF_CB_ABORT;
}

/* ---- all of it ---- */

static void unwind_pass(struct unwind *u)
{
    u->places = 0;
    u->lost = false;
    u->dwfl = modules_open(u->stack);
    if (u->dwfl && dwfl_attach_state(u->dwfl, NULL, (pid_t)u->process->file->pid, &thread_callbacks, u))
        dwfl_getthread_frames(u->dwfl, (pid_t)u->process->file->pid, see_frame, u);
}

static void name_places(struct unwind *u, size_t first)
{
    u->stack->frames = 0;
    for (size_t i = first; i < u->places; i++)
        if (!add_by_scopes(u->stack, &u->place[i]))
            add_by_symbol(u->stack, &u->place[i]);
}

/* Below main stands libc, which exits; what libc then does is nobody's call, and is shown as it is. */
static void name_all(struct unwind *u)
{
    name_places(u, places_select(u));
    if (u->stack->frames == 1 && !strcmp(u->stack->frame[0].frame.function, "_start"))
        name_places(u, 0);
    frames_trim(u->stack);
}

void stack_unwind(struct stack *s, const struct stack_process *p)
{
    struct stack_python python = { 0 };
    struct unwind *u = calloc(1, sizeof *u);
    if (!u)
        return;
    *u = (struct unwind){ .stack = s, .process = p };
    s->live ? stack_objects_live(s, p->file->pid) : stack_objects(s, false);
    unwind_pass(u);
    if (u->lost && !s->live) { /* in a library that was loaded later: all of the stream must be read for where */
        dwfl_end(u->dwfl);
        stack_objects(s, true);
        unwind_pass(u);
    }
    if (u->dwfl)
        dwfl_getmodules(u->dwfl, see_module, &python, 0);
    if (python.runtime)
        stack_python(s, p, &python);
    if (u->dwfl && !s->frames)
        name_all(u);
    if (u->dwfl)
        dwfl_end(u->dwfl);
    free(u);
}
