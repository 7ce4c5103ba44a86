/* Whether the first difference of two runs is an event of an explanation's chain.
 *
 *   parted EXPLAIN DIFF   of `drd explain --json B` and `drd diff --json A B`
 *
 * Prints the events that the diff names of B, one a line, with "event" for what it did first, "received" for the message before
 * that, "after" for the last thing that it did in both, and a "*" if it is the cause or a step of the chain. Exit 0 if one of
 * them is, 1 if none is, 2 if these files hold no such objects. */
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

static int check(const json_t *explain, const json_t *object, const char *key, const char *word)
{
    const char *event = json_string_value(json_object_get(object, key));
    if (!event)
        return 0;
    int found = in_chain(explain, event);
    printf("%s %s%s\n", event, word, found ? " *" : "");
    return found;
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
    const json_t *after = json_object_get(first, "b_after");
    int found = check(explain, own, "event", "event") + check(explain, own, "again", "event") +
                check(explain, own, "received", "received") + check(explain, cause, "event", "received") +
                check(explain, after, "event", "after");
    json_decref(explain);
    json_decref(diff);
    return !found;
}
