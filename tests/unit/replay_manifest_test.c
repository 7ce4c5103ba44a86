/* The record that says how a process was started, and the check that it still can be. */
#include "replay/manifest.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "lib/check.h"
#include "trace/msgpack.h"
#include "trace/record.h"

struct record {
    uint8_t bytes[8192];
    size_t length;
};

static uint8_t *put_text(uint8_t *p, const char *text)
{
    p = pack_str_header(p, (uint32_t)strlen(text));
    return (uint8_t *)memcpy(p, text, strlen(text)) + strlen(text);
}

static uint8_t *put_bin(uint8_t *p, const void *data, size_t length)
{
    p = pack_bin_header(p, (uint32_t)length);
    for (size_t i = 0; i < length; i++)
        *p++ = ((const uint8_t *)data)[i];
    return p;
}

static uint8_t *put_list(uint8_t *p, const char *const *text)
{
    uint32_t n = 0;
    while (text[n])
        n++;
    p = pack_array_header(p, n);
    for (uint32_t i = 0; i < n; i++)
        p = put_text(p, text[i]);
    return p;
}

static uint8_t *put_object(uint8_t *p, const char *path, const struct build_id *id)
{
    p = pack_int(put_text(pack_array_header(p, 3), path), 0x555555554000);
    return put_bin(p, id->byte, id->length);
}

/* A start record as the shim writes it, of a program that is this test. */
static void build(struct record *r, const struct build_id *id, const uint64_t *auxv, size_t auxv_size)
{
    char self[4096] = "";
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    uint8_t *p = pack_int(pack_array_header(r->bytes, 2), TRACE_START);
    p = pack_map_header(p, 8);
    p = put_text(put_text(p, "how"), "exec");
    p = pack_int(put_text(p, "unknown to this version"), 5);
    p = put_text(put_text(p, "exe"), self);
    p = put_list(put_text(p, "argv"), (const char *const[]){ "server", "--id", "", NULL });
    p = put_list(put_text(p, "env"), (const char *const[]){ "A=b", "LANG=C", NULL });
    p = pack_int(put_text(p, "stack_limit"), -1);
    p = put_bin(put_text(p, "auxv"), auxv, auxv_size);
    p = pack_array_header(put_text(p, "objects"), 2);
    p = put_object(p, "", id);
    p = put_object(p, "linux-vdso.so.1", id);
    r->length = (size_t)(p - r->bytes);
}

static void own_id(struct build_id *id)
{
    struct drd_error e = { 0 };
    assert_true(build_id_read("/proc/self/exe", id, &e));
    assert_true(id->length > 0);
}

static void is_parsed(void **state)
{
    (void)state;
    struct build_id id;
    struct record r;
    struct manifest m;
    struct drd_error e = { 0 };
    own_id(&id);
    build(&r, &id, (const uint64_t[]){ AT_PAGESZ, 4096, AT_NULL, 0 }, 32);
    assert_true(manifest_parse(&m, r.bytes, r.length, &e));
    assert_string_equal(m.program, m.exe);
    assert_string_equal(m.argv[1], "--id");
    assert_string_equal(m.argv[2], "");
    assert_null(m.argv[3]);
    assert_string_equal(m.env[1], "LANG=C");
    assert_int_equal(m.stack_limit, -1);
    assert_int_equal(m.objects, 2);
    assert_true(manifest_check_files(&m, &e));
    assert_true(manifest_check_machine(&m, &e));
    manifest_fini(&m);
}

static void a_changed_binary_is_refused(void **state)
{
    (void)state;
    struct build_id id;
    struct record r;
    struct manifest m;
    struct drd_error e = { 0 };
    char recorded[129];
    own_id(&id);
    id.byte[3] ^= 1;
    build(&r, &id, NULL, 0);
    assert_true(manifest_parse(&m, r.bytes, r.length, &e));
    assert_false(manifest_check_files(&m, &e));
    build_id_text(&id, recorded, sizeof recorded);
    assert_int_equal(e.exit_code, DRD_EXIT_CANNOT);
    assert_non_null(strstr(e.message, recorded));
    assert_non_null(strstr(e.message, m.exe));
    assert_non_null(strstr(e.message, "--force"));
    manifest_fini(&m);
}

static void a_missing_file_is_refused(void **state)
{
    (void)state;
    struct build_id id;
    struct drd_error e = { 0 };
    own_id(&id);
    assert_false(manifest_check_image(NULL, "/nonexistent/libgone.so.1", &id, &e));
    assert_int_equal(e.exit_code, DRD_EXIT_CANNOT);
    assert_non_null(strstr(e.message, "/nonexistent/libgone.so.1"));
    assert_false(manifest_check_image(NULL, "/etc/passwd", &id, &e));
}

static void another_machine(void **state)
{
    (void)state;
    struct build_id id = { .length = 0 };
    struct record r;
    struct manifest m;
    struct drd_error e = { 0 };
    char line[256];
    build(&r, &id, (const uint64_t[]){ AT_PAGESZ, 65536, AT_HWCAP, getauxval(AT_HWCAP) ^ 1, AT_NULL, 0 }, 48);
    assert_true(manifest_parse(&m, r.bytes, r.length, &e));
    assert_false(manifest_check_machine(&m, &e));
    assert_true(manifest_cpu_differs(&m, line, sizeof line));
    assert_non_null(strstr(line, "AT_HWCAP"));
    manifest_fini(&m);
}

/* Cut anywhere, or with any byte changed: refused or parsed, never read past the end (ASan watches). */
static void hostile_bytes(void **state)
{
    (void)state;
    struct build_id id;
    struct record r;
    struct manifest m;
    own_id(&id);
    build(&r, &id, (const uint64_t[]){ AT_NULL, 0 }, 16);
    for (size_t n = 0; n < r.length; n++) {
        uint8_t *cut = malloc(n + 1);
        struct drd_error e = { 0 };
        memcpy(cut, r.bytes, n);
        assert_false(manifest_parse(&m, cut, n, &e));
        free(cut);
    }
    for (size_t n = 0; n < r.length; n++)
        for (int bit = 0; bit < 8; bit++) {
            r.bytes[n] ^= (uint8_t)(1 << bit);
            if (manifest_parse(&m, r.bytes, r.length, NULL))
                manifest_fini(&m);
            r.bytes[n] ^= (uint8_t)(1 << bit);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_parsed), cmocka_unit_test(a_changed_binary_is_refused),
        cmocka_unit_test(a_missing_file_is_refused), cmocka_unit_test(another_machine), cmocka_unit_test(hostile_bytes),
    };
    return cmocka_run_group_tests_name("replay_manifest", tests, NULL, NULL);
}
