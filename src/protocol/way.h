/* One direction of a connection at one end: cut into messages, handed to the adapter whose protocol it is. */
#ifndef DRD_PROTOCOL_WAY_H
#define DRD_PROTOCOL_WAY_H

#include "protocol/adapter.h"

struct way_input {
    struct walk *walk;
    void *context;
    const struct protocol_adapter *const *adapters; /* ends with NULL */
    const struct flow_at *at;
    void *(*state)(void *context, const struct protocol_adapter *a);
    /* A message ended at this offset of the direction; name "data" for bytes of no known protocol. */
    void (*message)(void *context, struct way *way, uint64_t end_offset, size_t length, const char *name,
                    const struct flow_at *at);
    uint64_t told; /* internal: way->told while the bytes at hand are taken */
};

/* The next bytes; NULL: their content is not known, which ends the decoding of this direction. */
void way_bytes(struct way_input *in, struct way *way, const uint8_t *data, size_t length);
/* The last `length` bytes never left: decoding ends here. */
void way_unsent(struct way *way, size_t length);
void way_fini(struct way *way);

#endif
