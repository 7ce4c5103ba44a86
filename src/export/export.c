#include "export/export.h"

#include <string.h>

#include "explain/explain.h"
#include "export/words.h"

const struct export_format *const export_formats[] = {
    &export_shiviz, &export_chrome, &export_pcapng, &export_dot, &export_markdown, &export_tla, &export_jepsen, NULL,
};

const struct export_format *export_find(const char *name)
{
    for (size_t i = 0; export_formats[i]; i++)
        if (!strcmp(export_formats[i]->name, name))
            return export_formats[i];
    return NULL;
}

const char *export_step(const struct verdict *v, size_t i, char *out, size_t size)
{
    const struct chain_step *step = &v->cause.step[i];
    const char *name = v->model->node[step->at.node].name, *text = step->text;
    size_t length = strlen(name);
    if (!strncmp(text, name, length) && (text[length] == ' ' || text[length] == ','))
        text += length + (text[length] == ',' ? 2 : 1);
    snprintf(out, size, "%s", text);
    return words_clean(out);
}
