/* drd_manuals DOCS RELEASED DIRECTORY: writes man pages and completions below DIRECTORY, as they stand below share/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/manuals/manuals.h"

char *manuals_text(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t n = in ? getdelim(&text, &size, '\0', in) : -1;
    if (n < 0) {
        fprintf(stderr, "drd_manuals: %s: %s\n", path, in ? "cannot be read" : strerror(errno));
        free(text);
        text = NULL;
    }
    if (in)
        fclose(in);
    return text;
}

/* Open DIRECTORY/NAME for writing, with the folders on the way. */
static FILE *create(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    for (char *p = path + strlen(directory); (p = strchr(p + 1, '/'));) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    FILE *out = fopen(path, "w");
    if (!out)
        fprintf(stderr, "drd_manuals: %s: %s\n", path, strerror(errno));
    return out;
}

static bool finish(FILE *out)
{
    bool failed = ferror(out) != 0;
    return fclose(out) == 0 && !failed;
}

static bool write_overview(const char *docs, const char *released, const char *directory)
{
    FILE *out = create(directory, "man/man1/drd.1");
    bool good = out && man_overview(docs, released, out);
    return out && finish(out) && good;
}

static bool write_page(const struct drd_command *c, const char *released, const char *directory)
{
    char name[128];
    snprintf(name, sizeof name, "man/man1/drd-%s.1", c->name);
    FILE *out = create(directory, name);
    if (!out)
        return false;
    man_page(c, released, out);
    return finish(out);
}

static bool write_completion(void (*print)(FILE *), const char *directory, const char *name)
{
    FILE *out = create(directory, name);
    if (!out)
        return false;
    print(out);
    return finish(out);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: drd_manuals DOCS RELEASED DIRECTORY\n", stderr);
        return DRD_EXIT_USAGE;
    }
    const char *released = argv[2], *directory = argv[3];
    bool good = write_overview(argv[1], released, directory);
    for (size_t i = 0; good && i < cmd_count; i++)
        good = write_page(cmd_table[i], released, directory);
    good = good && write_completion(bash_completion, directory, "bash-completion/completions/drd") &&
           write_completion(zsh_completion, directory, "zsh/_drd") &&
           write_completion(fish_completion, directory, "fish/vendor_completions.d/drd.fish");
    return good ? DRD_EXIT_OK : DRD_EXIT_FATAL;
}
