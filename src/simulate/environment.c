#include "simulate/environment.h"

#include <stdlib.h>
#include <string.h>

#include "record/launch.h"
#include "store/store.h"

#define WORDS_MOST 65536

void environment_free(char **word)
{
    for (char **w = word; w && *w; w++)
        free(*w);
    free(word);
}

/* The texts of a msgpack array; what is none is passed over. */
static char **words_read(struct unpack list, size_t *count)
{
    const uint8_t *p = list.data, *end = p + list.length;
    struct unpack u;
    if (!(p = unpack_next(p, end, &u)) || u.count > WORDS_MOST)
        return NULL;
    char **word = calloc((size_t)u.count + 1, sizeof *word);
    *count = 0;
    for (uint32_t left = word ? u.count : 0; left && (p = unpack_next(p, end, &u)); left--)
        if (u.type == UNPACK_STR && !(word[(*count)++] = strndup((const char *)u.data, u.length)))
            return environment_free(word), NULL;
    return word;
}

static char **words_of(struct store *s, struct drd_error *e)
{
    struct trace_event event;
    struct unpack list;
    size_t count;
    char **word = NULL;
    struct stream *st = stream_open(s, 1, e);
    if (st && stream_next(st, &event, e) == 1 && event.code == TRACE_START &&
        trace_map_find(event.field_bytes[0], "env", &list) && list.type == UNPACK_ARRAY && (word = words_read(list, &count)))
        word[launch_environment_before(word, count)] = NULL;
    else if (!e->exit_code)
        error_set(e, DRD_EXIT_CANNOT, "it does not say which environment its command had");
    stream_close(st);
    return word;
}

char **environment_of(const char *path, struct drd_error *e)
{
    struct store *s = store_open(path, STORE_READ, e);
    char **word = NULL;
    if (s && store_fact(s, "redacted", NULL, 0))
        error_set(e, DRD_EXIT_CANNOT, "%.200s: redacted: the environment of its command is not in it", path);
    else if (s)
        word = words_of(s, e);
    store_close(s);
    return word;
}
