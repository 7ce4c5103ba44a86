/* Fuzz target: the pickle reader. What it takes, it must be able to show, all of it reachable within the bytes it was given. */
#include <string.h>

#include "protocol/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t seen; /* kept, so that no read is optimised away */

/* All bytes of a value, a few levels and items deep: it may hold itself. */
static uint64_t touch(const struct pickle_value *v, int depth)
{
    const uint8_t *bytes;
    size_t length;
    uint64_t sum = 0, number;
    if (pickle_bytes(v, &bytes, &length))
        for (size_t i = 0; i < length; i++)
            sum += bytes[i];
    if (pickle_number(v, &number))
        sum += number;
    for (size_t i = 0; depth < 6 && i < 6 && pickle_item(v, i); i++)
        sum += touch(pickle_item(v, i), depth + 1);
    return sum + (pickle_get(v, "type") != NULL) + pickle_is_true(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[200];
    struct pickle *p = pickle_read(data, size);
    if (p) {
        pickle_print(pickle_root(p), text, sizeof text);
        seen += touch(pickle_root(p), 0) + strlen(text);
    }
    pickle_free(p);
    return 0;
}
