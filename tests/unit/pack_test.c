/* Packs (store/pack.h) made by somebody who means harm, or damaged. */
#include "store/pack.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "lib/check.h"
#include "replay/root.h"

#define CONTENT 300000

static char directory[128], path[160], laid_out[160];
static struct drd_error error;

static int setup(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "%s/pack_test.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/run.drd", directory);
    snprintf(laid_out, sizeof laid_out, "%s/out", directory);
    error = (struct drd_error){ 0 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    stage_remove(directory);
    return 0;
}

static uint8_t content_at(size_t i)
{
    return (uint8_t)(i * i >> 7 ^ i);
}

static int content_fd(void)
{
    static uint8_t bytes[CONTENT];
    char file[160];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = content_at(i);
    snprintf(file, sizeof file, "%s/content", directory);
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0755);
    assert_true(fd >= 0 && write(fd, bytes, sizeof bytes) == sizeof bytes);
    return fd;
}

/* A run with one packed file, closed. */
static void make_pack(const char *file)
{
    uint64_t stored;
    int fd = content_fd();
    struct store *s = store_create(path, &error);
    assert_non_null(s);
    assert_true(store_fact_set(s, "state", "complete", &error));
    assert_true(store_begin(s, &error) && pack_tables(s, &error));
    assert_true(pack_add(s, file, fd, "0123456789abcdef", &stored, &error));
    assert_true(stored > 0);
    assert_true(store_commit(s, &error));
    store_close(s);
    close(fd);
}

/* Through drd's own layer, so that every page has the checksum of what is in it. */
static void change(const char *sql)
{
    struct store *s = store_open(path, STORE_WRITE, &error);
    assert_non_null(s);
    sqlite3_db_config(store_database(s), SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    if (sqlite3_exec(store_database(s), sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(store_database(s)));
    store_close(s);
}

/* What is said when it is laid out; "" if it was. */
static const char *lay_out(void)
{
    error = (struct drd_error){ 0 };
    struct store *s = store_open(path, STORE_READ, &error);
    assert_non_null(s);
    bool ok = root_lay_out(laid_out, s, &error);
    store_close(s);
    assert_int_equal(ok, error.exit_code == 0);
    if (!ok)
        assert_int_not_equal(access(laid_out, F_OK), 0); /* nothing is left of it */
    return error.message;
}

static void refused(const char *words)
{
    const char *said = lay_out();
    if (!strstr(said, words))
        fail_msg("wanted \"%s\", got \"%s\"", words, said);
    assert_true(error.exit_code == DRD_EXIT_FATAL || error.exit_code == DRD_EXIT_CANNOT);
}

static void files_come_back(void **state)
{
    (void)state;
    char file[256];
    struct stat st;
    static uint8_t bytes[CONTENT];
    make_pack("/usr/sbin/a program");
    assert_string_equal(lay_out(), "");
    snprintf(file, sizeof file, "%s/usr/sbin/a program", laid_out);
    int fd = open(file, O_RDONLY);
    assert_true(fd >= 0 && !fstat(fd, &st) && read(fd, bytes, sizeof bytes) == sizeof bytes);
    close(fd);
    assert_int_equal(st.st_size, CONTENT);
    assert_int_equal(st.st_mode & 07777, 0755);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], content_at(i));
}

static void paths_lead_nowhere_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "relative", "/", "//etc/passwd", "/etc//passwd", "/etc/", "/..", "/../etc/passwd", "/a/../../b", "/a/..", "/./a", "/a/.",
        "/proc/self/mem", "/a\nb", "/a\x7f", "/a\x1b[2J",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(pack_path_good(bad[i]));
    assert_true(pack_path_good("/usr/lib/x86_64-linux-gnu/libc.so.6"));
    assert_true(pack_path_good("/..a/.b/c.."));
    make_pack("/bin/a");
    change("UPDATE packed_file SET path = '/../../../../tmp/pack_test_escaped'");
    refused("refused: it has a packed file whose path");
    assert_int_not_equal(access("/tmp/pack_test_escaped", F_OK), 0);
    change("UPDATE packed_file SET path = 'relative'");
    refused("refused: it has a packed file whose path");
    change("UPDATE packed_file SET path = CAST(x'2f610062' AS TEXT)"); /* "/a", a zero, "b" */
    refused("refused: it has a packed file whose path");
}

/* One file cannot be the directory of another. */
static void file_as_directory(void **state)
{
    (void)state;
    make_pack("/bin/a");
    change("INSERT INTO packed_file SELECT '/bin/a/b', executable, size, digest, build_id FROM packed_file");
    refused("cannot put the packed file /bin/a/b into place");
}

static void nobody_gets_more_rights(void **state)
{
    (void)state;
    char file[256];
    struct stat st;
    make_pack("/bin/a");
    change("UPDATE packed_file SET executable = 4095"); /* 07777 */
    assert_string_equal(lay_out(), "");
    snprintf(file, sizeof file, "%s/bin/a", laid_out);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
}

static void sizes_are_believed_up_to_a_limit(void **state)
{
    (void)state;
    make_pack("/bin/a");
    change("UPDATE packed_file SET size = 1 << 40");
    refused("is not described as one");
    change("UPDATE packed_file SET size = -1");
    refused("is not described as one");
    change("UPDATE packed_file SET size = 299999"); /* what it expands to is more */
    refused("does not fit its digest");
    change("UPDATE packed_file SET size = 300001");
    refused("does not fit its digest");
    change("UPDATE packed_file SET size = 1 << 30; INSERT INTO packed_file WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
           "FROM n WHERE i < 20) SELECT '/b/' || i, executable, size, digest, build_id FROM packed_file, n");
    refused("too many or too large");
}

/* Little that says it expands to much: a gigabyte of zeros in some kilobytes. */
static void little_that_becomes_much(void **state)
{
    (void)state;
    char sql[512];
    const size_t size = 256u << 20;
    uint8_t *zeros = calloc(1, size), *packed = malloc(ZSTD_compressBound(size));
    assert_true(zeros && packed);
    size_t n = ZSTD_compress(packed, ZSTD_compressBound(size), zeros, size, 3);
    free(zeros);
    assert_true(n < 100000);
    make_pack("/bin/a");
    struct store *s = store_open(path, STORE_WRITE, &error);
    sqlite3_stmt *st;
    snprintf(sql, sizeof sql, "UPDATE packed_object SET data = ?1");
    assert_int_equal(sqlite3_prepare_v2(store_database(s), sql, -1, &st, NULL), SQLITE_OK);
    sqlite3_bind_blob64(st, 1, packed, n, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    sqlite3_finalize(st);
    store_close(s);
    free(packed);
    refused("does not fit its digest");
}

static void contents_are_checked(void **state)
{
    (void)state;
    make_pack("/bin/a");
    change("UPDATE packed_file SET digest = zeroblob(32); UPDATE packed_object SET digest = zeroblob(32)");
    refused("does not fit its digest");
    change("UPDATE packed_file SET digest = x'00'");
    refused("is not described as one");
    change("UPDATE packed_file SET digest = zeroblob(32), build_id = 'x; rm -rf /'");
    refused("is not described as one");
    change("UPDATE packed_file SET build_id = ''; UPDATE packed_object SET data = x''");
    refused("does not fit its digest");
    change("UPDATE packed_object SET data = x'28b52ffd'");
    refused("does not fit its digest");
    change("DELETE FROM packed_object");
    refused("the packed file /bin/a is not there");
    change("DROP TABLE packed_object");
    refused("the packed file /bin/a is not there");
}

/* Views that compute for ever, tables of other columns. */
static void other_tables(void **state)
{
    (void)state;
    make_pack("/bin/a");
    change("ALTER TABLE packed_file RENAME TO f; CREATE VIEW packed_file AS WITH RECURSIVE n(path, executable, size, digest, "
           "build_id) AS (SELECT '/a', 0, 0, x'', '' UNION ALL SELECT path, 0, 0, x'', '' FROM n) SELECT * FROM n");
    assert_string_equal(lay_out(), ""); /* no pack, as far as we look */
    rmdir(laid_out);
    change("DROP VIEW packed_file; CREATE TABLE packed_file(other)");
    refused("no such column");
}

/* A byte of the file changed, anywhere: refused, or of no importance. */
static void damage(void **state)
{
    (void)state;
    make_pack("/bin/a");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    for (off_t at = 0; at < st.st_size; at += 997) {
        uint8_t was, is;
        assert_int_equal(pread(fd, &was, 1, at), 1);
        is = was ^ 0x41;
        assert_int_equal(pwrite(fd, &is, 1, at), 1);
        error = (struct drd_error){ 0 };
        struct store *s = store_open(path, STORE_READ, &error);
        if (s && root_lay_out(laid_out, s, &error))
            stage_remove(laid_out);
        else
            assert_int_not_equal(error.exit_code, 0);
        store_close(s);
        assert_int_not_equal(access(laid_out, F_OK), 0);
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
    }
    close(fd);
    assert_string_equal(lay_out(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_lead_nowhere_else, setup, teardown),
        cmocka_unit_test_setup_teardown(file_as_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_gets_more_rights, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_are_believed_up_to_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(little_that_becomes_much, setup, teardown),
        cmocka_unit_test_setup_teardown(contents_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(other_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(damage, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
