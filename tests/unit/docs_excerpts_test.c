/* Code that the pages show is the code of the sources: a block behind a line <!-- PATH --> stands in that file, as it is. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

static char *text_of(const char *folder, const char *path)
{
    char name[1024];
    snprintf(name, sizeof name, "%s/%s%s", DRD_SOURCE_DIR, folder, path);
    return file_text(name);
}

/* The block that begins at `p`, behind the "-->". Returns its end. */
static char *excerpt_check(const char *page, const char *path, char *p)
{
    char *begin = strchr(p + 4, '\n'); /* of the line ```c */
    char *end = begin ? strstr(begin, "\n```\n") : NULL;
    if (strncmp(p, "\n```", 4) || !end)
        fail_msg("docs/%s: no block of code behind <!-- %s -->", page, path);
    *end = '\0';
    char *source = text_of("", path);
    if (!strstr(source, begin))
        fail_msg("docs/%s shows this, which is not in %s any more:%s", page, path, begin);
    free(source);
    return end + 1;
}

static unsigned page_check(const char *page)
{
    static const char mark[] = "\n<!-- ";
    unsigned found = 0;
    char *text = text_of("docs/", page);
    for (char *p = text; (p = strstr(p, mark));) {
        char path[256];
        int used = 0;
        p += strlen(mark);
        if (sscanf(p, "%255[a-z_0-9/].%*1[ch]%n", path, &used) != 1 || !used || strncmp(p + used, " -->", 4))
            continue; /* another comment */
        snprintf(path, sizeof path, "%.*s", used, p);
        p = excerpt_check(page, path, p + used + 4);
        found++;
    }
    free(text);
    return found;
}

static void excerpts(void **state)
{
    (void)state;
    DIR *d = opendir(DRD_SOURCE_DIR "/docs");
    struct dirent *entry;
    assert_non_null(d);
    while ((entry = readdir(d))) {
        size_t length = strlen(entry->d_name);
        if (length > 3 && !strcmp(entry->d_name + length - 3, ".md"))
            page_check(entry->d_name);
    }
    closedir(d);
    assert_true(page_check("add-a-protocol.md") > 8);
    assert_true(page_check("marks.md") >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(excerpts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
