/* What `drd explain --json` answered, as one line of words for scripts:
 *
 *   verdict FILE          STATUS PROPERTY CLASS NODE EVENT CERTAINTY STEPS ALSO
 *
 * A word that is not there is "-"; the property's blanks become "_"; STEPS counts the chain, ALSO what was also seen.
 * Exit 2 if the file holds no such object. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void print_word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !*text)
        text = "-";
    for (; *text; text++)
        putchar(*text == ' ' ? '_' : *text);
    putchar(' ');
}

int main(int argc, char **argv)
{
    json_error_t e;
    json_t *root = argc == 2 ? json_load_file(argv[1], 0, &e) : NULL;
    const json_t *verdict = json_object_get(root, "verdict"), *cause = json_object_get(root, "cause");
    if (!verdict) {
        fputs("usage: verdict FILE (of drd explain --json)\n", stderr);
        return 2;
    }
    print_word(verdict, "status");
    print_word(verdict, "property");
    print_word(cause, "class");
    print_word(cause, "node");
    print_word(cause, "event");
    print_word(cause, "certainty");
    printf("%zu %zu\n", json_array_size(json_object_get(root, "chain")), json_array_size(json_object_get(root, "also_seen")));
    json_decref(root);
    return 0;
}
