/* Fuzz target: the ovsdb adapter, on the wire and in the log file. Input: see protocol_input.h. */
#include "fuzz/protocol_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return protocol_input_run(data, size);
}
