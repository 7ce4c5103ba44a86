/* Fuzz target: the raftkv adapter, between servers, from clients, in files. Input: see raftkv_input.h. */
#include "fuzz/raftkv_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    struct walk_listener listener = {.context = &sum, .fact = protocol_input_fact};
    struct walk *w = walk_create(&listener);
    if (w)
        raftkv_input_feed(w, data, size);
    walk_destroy(w);
    return 0;
}
