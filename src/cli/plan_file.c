#include "cli/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *plan_file_text(const char *path, struct drd_error *e)
{
    bool standard = !strcmp(path, "-");
    FILE *in = standard ? stdin : fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    ssize_t n = in ? getdelim(&text, &size, 0, in) : -1;
    bool failed = !in || ferror(in);
    if (failed)
        error_set_errno(e, DRD_EXIT_USAGE, "%s", path);
    if (in && !standard)
        fclose(in);
    if (!failed && n >= 0)
        return text;
    free(text);
    return failed ? NULL : calloc(1, 1);
}

const char *plan_file_name(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

bool model_file_read(struct model *model, const char *path, struct drd_error *e)
{
    char *text = plan_file_text(path, e);
    bool ok = text && (model_read(model, text, e) || error_wrap(e, "%s", plan_file_name(path)));
    free(text);
    return ok;
}
