/* What a loss of power leaves of a node's files: over many seeds, always something ext4 may leave, and each of what it may leave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "simulate/tree.h"

#include "lib/check.h"

#define PAGE 4096u
#define SEEDS 200

static struct machine *machine;
static struct process process = {.node = 1}, other = {.node = 2};
static struct task task = {.process = &process};
static struct inode *directory;

static int begin(void **state)
{
    (void)state;
    machine = calloc(1, sizeof *machine);
    machine->box = calloc(1, sizeof *machine->box);
    snprintf(machine->node[1].name, sizeof machine->node[1].name, "a");
    machine->nodes = 3;
    machine->tree = tree_create(machine);
    machine->asking = &task;
    directory = inode_create(machine, S_IFDIR | 0755);
    entry_set(machine->tree, "d", directory);
    directory->links = 1;
    return !machine->tree;
}

static int end(void **state)
{
    (void)state;
    tree_destroy(machine);
    durable_fini(machine);
    free(machine->ordinal);
    free(machine->box);
    free(machine);
    return 0;
}

static void crash(uint64_t seed)
{
    machine->seed = seed;
    tree_crash(machine, 1);
}

static struct inode *made(const char *name)
{
    struct inode *i = inode_create(machine, S_IFREG | 0644);
    durable_name(machine, &process, directory, name, i, false);
    i->links = 1;
    return i;
}

static void forget(const char *name)
{
    struct inode *i = entry_get(machine, directory, name);
    entry_set(directory, name, NULL);
    if (i)
        inode_unlink(i);
}

/* `count` pages from page `at` on, of this byte. */
static void pages_write(struct inode *i, uint64_t at, size_t count, int byte)
{
    uint8_t page[PAGE];
    memset(page, byte, sizeof page);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(content_write(machine, i, page, sizeof page, (at + k) * PAGE), PAGE);
}

/* How many bytes from `at` on are this one, a page at most. */
static size_t run_of(const struct inode *i, uint64_t at, int byte)
{
    size_t n = 0;
    while (at + n < i->size && n < PAGE && i->data[at + n] == byte)
        n++;
    return n;
}

static void overwritten_pages_are_old_new_or_torn(void **state)
{
    unsigned old = 0, new = 0, torn = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char name[16];
        snprintf(name, sizeof name, "o%u", (unsigned)seed);
        struct inode *i = made(name);
        pages_write(i, 0, 4, 'o');
        tree_sync(machine, i, 1);
        pages_write(i, 1, 2, 'n');
        crash(seed);
        assert_int_equal(i->size, 4 * PAGE);
        assert_true(run_of(i, 0, 'o') == PAGE && run_of(i, 3 * PAGE, 'o') == PAGE);
        for (uint64_t at = PAGE; at < 3 * PAGE; at += PAGE) {
            size_t begins = run_of(i, at, 'n');
            assert_int_equal(begins % 512, 0);
            assert_true(begins == PAGE || run_of(i, at + begins, 'o') >= PAGE - begins);
            old += !begins, new += begins == PAGE, torn += begins && begins < PAGE;
        }
    }
    assert_true(old > SEEDS / 4 && new > SEEDS / 4 && torn > SEEDS / 4);
}

static void of_what_was_appended_a_beginning_is_there(void **state)
{
    unsigned seen[5] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char name[16];
        snprintf(name, sizeof name, "a%u", (unsigned)seed);
        struct inode *i = made(name);
        pages_write(i, 0, 2, 's');
        tree_sync(machine, i, 1);
        for (int k = 0; k < 4; k++)
            pages_write(i, 2 + (uint64_t)k, 1, 'a' + k);
        crash(seed);
        assert_true(i->size >= 2 * PAGE && i->size % PAGE == 0 && i->size <= 6 * PAGE);
        for (uint64_t at = 0; at < i->size; at += PAGE)
            assert_int_equal(run_of(i, at, at < 2 * PAGE ? 's' : 'a' + (int)(at / PAGE) - 2), PAGE);
        seen[i->size / PAGE - 2]++;
    }
    for (size_t k = 0; k < 5; k++)
        assert_true(seen[k] > SEEDS / 20);
}

static bool is_there(const char *name)
{
    return entry_get(machine, directory, name) != NULL;
}

static void of_names_a_beginning_is_there(void **state)
{
    unsigned seen[4] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        static const char *const name[] = {"x", "y", "z"};
        for (int k = 0; k < 3; k++)
            made(name[k]);
        crash(seed);
        size_t there = 0;
        while (there < 3 && is_there(name[there]))
            there++;
        for (size_t k = there; k < 3; k++)
            assert_false(is_there(name[k]));
        seen[there]++;
        for (int k = 0; k < 3; k++)
            forget(name[k]);
    }
    for (size_t k = 0; k < 4; k++)
        assert_true(seen[k] > SEEDS / 20);
}

/* rename(2) over another file: one of the two is there, whole, under one name. */
static void a_rename_is_there_or_not(void **state)
{
    unsigned renamed = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct inode *old = made("f"), *new = made("f.new");
        pages_write(old, 0, 1, 'o');
        pages_write(new, 0, 1, 'n');
        tree_sync(machine, old, 1);
        tree_sync(machine, new, 1);
        durable_name(machine, &process, directory, "f.new", NULL, true);
        durable_name(machine, &process, directory, "f", new, false);
        inode_unlink(old);
        crash(seed);
        struct inode *f = entry_get(machine, directory, "f");
        assert_non_null(f);
        assert_true(is_there("f.new") ? f == old : f == new);
        assert_int_equal(run_of(f, 0, f == new ? 'n' : 'o'), PAGE);
        renamed += f == new;
        forget("f");
        forget("f.new");
    }
    assert_true(renamed > SEEDS / 4 && renamed < SEEDS * 3 / 4);
}

static void a_sync_commits_and_so_do_five_seconds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct inode *i = made("s1");
        tree_sync(machine, i, 1);
        crash(seed);
        assert_true(is_there("s1"));
        made("s2");
        machine->box->now += 6 * SECOND;
        crash(seed);
        assert_true(is_there("s2"));
        forget("s1");
        forget("s2");
    }
}

static void another_node_keeps_all(void **state)
{
    struct inode *i = inode_create(machine, S_IFREG | 0644);
    (void)state;
    durable_name(machine, &other, directory, "theirs", i, false);
    i->links = 1;
    task.process = &other;
    pages_write(i, 0, 3, 't');
    task.process = &process;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        crash(seed);
    assert_true(is_there("theirs"));
    assert_int_equal(i->size, 3 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(overwritten_pages_are_old_new_or_torn, begin, end),
        cmocka_unit_test_setup_teardown(of_what_was_appended_a_beginning_is_there, begin, end),
        cmocka_unit_test_setup_teardown(of_names_a_beginning_is_there, begin, end),
        cmocka_unit_test_setup_teardown(a_rename_is_there_or_not, begin, end),
        cmocka_unit_test_setup_teardown(a_sync_commits_and_so_do_five_seconds, begin, end),
        cmocka_unit_test_setup_teardown(another_node_keeps_all, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
