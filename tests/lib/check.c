#include "lib/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void scratch_enter(char *out, size_t size)
{
    const char *base = getenv("TMPDIR");
    snprintf(out, size, "%s/drd-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(out));
    assert_int_equal(chdir(out), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

void scratch_leave(const char *path)
{
    assert_int_equal(chdir("/"), 0);
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *file_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot read %s", path);
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(size + 1);
    assert_int_equal(fread(text, 1, size, f), size);
    text[size] = '\0';
    fclose(f);
    return text;
}
