/* Callbacks by name: the program is this test itself, mapped where it really is. */
#include "replay/symbols.h"

#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/maker.h"
#include "replay/manifest.h"
#include "replay/object.h"
#include "trace/msgpack.h"

#define I(n) ((int64_t)(n))

static char scratch[PATH_MAX], self[PATH_MAX];
static struct maker stream[4];
static struct store *store;

static void __attribute__((noinline)) on_tick(void)
{
    __asm__ volatile("nop; nop; nop; nop");
}

struct library {
    uint64_t address, base;
    char path[PATH_MAX];
};

static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
    struct library *l = context;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD &&
            l->address - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) < info->dlpi_phdr[i].p_memsz) {
            l->base = info->dlpi_addr;
            snprintf(l->path, sizeof l->path, "%s", *info->dlpi_name ? info->dlpi_name : self);
            return 1;
        }
    return 0;
}

static struct library library_at(uintptr_t address)
{
    struct library l = { .address = address };
    assert_int_equal(dl_iterate_phdr(find_library, &l), 1);
    return l;
}

static struct build_id id_of(const char *path)
{
    struct build_id id;
    struct drd_error e = { 0 };
    assert_true(build_id_read(path, &id, &e));
    return id;
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
    p = pack_str_header(p, (uint32_t)strlen(text));
    return (uint8_t *)memcpy(p, text, strlen(text)) + strlen(text);
}

static uint8_t *put_list(uint8_t *p, const char *key, const char *word)
{
    return put_text(pack_array_header(put_text(p, key), 1), word);
}

/* The first record of a program that consists of this test, of the build `id`. */
static void start_program(struct maker *m, const struct build_id *id)
{
    uint8_t *p = pack_map_header(pack_int(pack_array_header(m->bytes, 2), TRACE_START), 5);
    p = put_text(put_text(p, "how"), "exec");
    p = put_text(put_text(p, "exe"), self);
    p = put_list(put_list(p, "argv", "test"), "env", "A=1");
    p = pack_array_header(pack_array_header(put_text(p, "objects"), 1), 3);
    p = pack_int(put_text(p, self), (int64_t)library_at((uintptr_t)on_tick).base);
    p = pack_bin_header(p, (uint32_t)id->length);
    memcpy(p, id->byte, id->length);
    m->length = (size_t)(p + id->length - m->bytes);
}

static void start_forked(struct maker *m, uint32_t parent)
{
    uint8_t *p = pack_map_header(pack_int(pack_array_header(m->bytes, 2), TRACE_START), 2);
    p = put_text(put_text(p, "how"), "fork");
    p = pack_int(put_text(p, "parent"), parent);
    m->length = (size_t)(p - m->bytes);
}

static void put_timer(struct maker *m, uintptr_t callback)
{
    char text[32];
    snprintf(text, sizeof text, "0x%012" PRIxPTR, callback);
    maker_record(m, "isiis", I(TRACE_TIMER), "uv_timer", I(1000000), I(0), text);
}

/* 1: the program; 2: forked, with libc mapped later; 3: another build of the program; 4: says it was forked from itself. */
static int make_run(void **state)
{
    (void)state;
    struct store_process process[4] = { 0 };
    struct drd_error e = { 0 };
    struct library libc = library_at((uintptr_t)&bsearch);
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    scratch_enter(scratch, sizeof scratch);
    struct build_id id = id_of(self), late = id_of(libc.path);
    start_program(&stream[0], &id);
    put_timer(&stream[0], (uintptr_t)on_tick);
    start_forked(&stream[1], 1);
    maker_record(&stream[1], "isiib", I(TRACE_IMAGE), libc.path, (int64_t)libc.base, I(1), late.byte, late.length);
    id.byte[0] ^= 1;
    start_program(&stream[2], &id);
    put_timer(&stream[2], (uintptr_t)on_tick);
    start_forked(&stream[3], 4);
    for (int i = 0; i < 4; i++)
        process[i] = (struct store_process){ .node = (char *)"n", .exe = self, .incarnation = (uint32_t)i + 1, .start = 1, .end = 2 };
    maker_run("a.drd", process, stream, 4);
    store = store_open("a.drd", STORE_READ, &e);
    assert_non_null(store);
    return 0;
}

static int remove_run(void **state)
{
    (void)state;
    store_close(store);
    scratch_leave(scratch);
    return 0;
}

static void functions_have_names(void **state)
{
    (void)state;
    struct symbols *y = symbols_create(store);
    assert_string_equal(symbols_at(y, 1, (uintptr_t)on_tick), "on_tick");
    assert_string_equal(symbols_at(y, 1, (uintptr_t)on_tick + 2), "on_tick+0x2");
    assert_ptr_equal(symbols_at(y, 1, (uintptr_t)on_tick), symbols_at(y, 1, (uintptr_t)on_tick)); /* found once */
    assert_string_equal(symbols_at(y, 2, (uintptr_t)on_tick), "on_tick");                         /* its parent's memory */
    assert_string_equal(symbols_at(y, 2, (uintptr_t)&bsearch), "bsearch");                      /* exported names only */
    symbols_destroy(y);
}

/* Where the file has no function, the place in the file is what can be said. */
static void data_has_a_place(void **state)
{
    (void)state;
    char wanted[NAME_MAX + 64];
    uint64_t offset = (uintptr_t)&store - library_at((uintptr_t)on_tick).base;
    struct symbols *y = symbols_create(store);
    snprintf(wanted, sizeof wanted, "%s+0x%" PRIx64, strrchr(self, '/') + 1, offset);
    assert_string_equal(symbols_at(y, 1, (uintptr_t)&store), wanted);
    symbols_destroy(y);
}

static void what_is_not_sure_has_none(void **state)
{
    (void)state;
    struct symbols *y = symbols_create(store);
    assert_null(symbols_at(y, 1, 16));
    assert_null(symbols_at(y, 1, (uintptr_t)&bsearch)); /* mapped in the child only */
    assert_null(symbols_at(y, 3, (uintptr_t)on_tick));   /* another build */
    assert_null(symbols_at(y, 4, (uintptr_t)on_tick));
    assert_null(symbols_at(y, 99, (uintptr_t)on_tick));
    symbols_destroy(y);
    assert_null(symbols_at(NULL, 1, (uintptr_t)on_tick));
}

static const char *callback_of(uint32_t process)
{
    static char text[64];
    struct trace_event event;
    struct drd_error e = { 0 };
    struct symbols *y = symbols_create(store);
    struct stream *st = stream_open(store, process, &e);
    assert_int_equal(stream_next(st, &event, &e), 1);
    symbols_name_callback(y, &event); /* no timer: nothing happens */
    assert_int_equal(stream_next(st, &event, &e), 1);
    event.process = process;
    symbols_name_callback(y, &event);
    snprintf(text, sizeof text, "%.*s", (int)event.field_bytes[3].length, (const char *)event.field_bytes[3].data);
    stream_close(st);
    symbols_destroy(y);
    return text;
}

static void timers_name_their_callback(void **state)
{
    (void)state;
    char address[32];
    snprintf(address, sizeof address, "0x%012" PRIxPTR, (uintptr_t)on_tick);
    assert_string_equal(callback_of(1), "on_tick");
    assert_string_equal(callback_of(3), address);
}

/* What was stripped from a program is found by build-id, where it is installed. */
static void stripped_programs_have_names(void **state)
{
    (void)state;
    char command[2 * PATH_MAX + 256], hex[2 * BUILD_ID_MAX + 1], path[PATH_MAX + 16], name[256];
    const struct build_id id = id_of(self);
    uint64_t offset = (uintptr_t)on_tick - library_at((uintptr_t)on_tick).base;
    build_id_text(&id, hex, sizeof hex);
    snprintf(command, sizeof command, "objcopy --strip-all '%s' stripped 2>/dev/null && mkdir -p debug/.build-id/%.2s && "
             "cp '%s' debug/.build-id/%.2s/%s.debug", self, hex, self, hex, hex + 2);
    if (system(command))
        skip();
    snprintf(path, sizeof path, "%s/stripped", scratch);
    setenv("DRD_DEBUG_DIR", "nowhere", 1);
    struct object *o = object_open(NULL, path, &id);
    assert_non_null(o);
    object_name_at(o, offset, name, sizeof name);
    assert_non_null(strstr(name, "stripped+0x"));
    object_close(o);
    setenv("DRD_DEBUG_DIR", "debug", 1);
    o = object_open(NULL, path, &id);
    object_name_at(o, offset, name, sizeof name);
    assert_string_equal(name, "on_tick");
    assert_true(object_covers(o, offset));
    object_close(o);
    unsetenv("DRD_DEBUG_DIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_names), cmocka_unit_test(data_has_a_place),
        cmocka_unit_test(what_is_not_sure_has_none), cmocka_unit_test(timers_name_their_callback),
        cmocka_unit_test(stripped_programs_have_names),
    };
    return cmocka_run_group_tests(tests, make_run, remove_run);
}
