/* Fuzz target: the pysyncobj adapter, on the wire and in the files. Input: see pysyncobj_input.h. */
#include "fuzz/pysyncobj_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    struct walk_listener listener = {.context = &sum, .fact = protocol_input_fact};
    struct walk *w = walk_create(&listener);
    if (w)
        pysyncobj_input_feed(w, 0, data, size);
    walk_destroy(w);
    return 0;
}
