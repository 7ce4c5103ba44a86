/* Whether the first difference of two runs is an event of an explanation's chain.
 *
 *   parted EXPLAIN DIFF   of `drd explain --json B` and `drd diff --json A B`
 *
 * Prints the events that the diff names of B, one a line: what it did, the message it had received last, the message that
 * reached both. Exit 0 if one of them is the cause or a step of the chain, 1 if not,
     2 if these files hold no such objects. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int in_chain(const json_t *explain, const char *event)
{
    const json_t *step;
    size_t i;
    const char *cause = json_string_value(json_object_get(json_object_get(explain, "cause"), "event"));
    if (cause && !strcmp(cause, event))
        return 1;
    json_array_foreach(json_object_get(explain, "chain"), i, step) {
        const char *text = json_string_value(json_object_get(step, "event"));
        if (text && !strcmp(text, event))
            return 1;
    }
    return 0;
}

static int check(const json_t *explain, const json_t *object, const char *key)
{
    const char *event = json_string_value(json_object_get(object, key));
    if (!event)
        return 0;
    puts(event);
    return in_chain(explain, event);
}

int main(int argc, char **argv)
{
    json_error_t e;
    json_t *explain = argc == 3 ? json_load_file(argv[1], 0, &e) : NULL, *diff = argc == 3 ?
        json_load_file(argv[2], 0, &e) : NULL;
    const json_t *first = json_object_get(diff, "first");
    if (!json_object_get(explain, "chain") || !first) {
        fputs("usage: parted EXPLAIN DIFF (of drd explain --json and drd diff --json)\n", stderr);
        return 2;
    }
    const json_t *own = json_object_get(first, "b"), *cause = json_object_get(first, "b_cause");
    int found = check(explain, own, "event") + check(explain, own, "received") + check(explain, cause, "event");
    json_decref(explain);
    json_decref(diff);
    return !found;
}
