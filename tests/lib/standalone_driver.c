/* Feeds every file of the directories (or files) on its command line to a fuzz target: the corpus as a plain test.
 * Besides each file it tries its beginnings, so that a short corpus still visits the ends of buffers. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 64 };

/* A copy in a heap block of exactly this size lets AddressSanitizer see one byte too many. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void feed_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(size + 1);
    if (fread(data, 1, size, f) != size) {
        perror(path);
        exit(1);
    }
    fclose(f);
    feed(data, size);
    for (size_t i = 0; i < CUTS && size; i++)
        feed(data, size * i / CUTS);
    free(data);
}

static size_t feed_path(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(st.st_mode)) {
        feed_file(path);
        return 1;
    }
    DIR *d = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char inside[PATH_MAX];
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (*entry->d_name != '.')
            count += feed_path(inside);
    }
    if (d)
        closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        count += feed_path(argv[i]);
    feed((const uint8_t *)"", 0);
    printf("%zu inputs\n", count);
    return count ? 0 : 1;
}
