/* One pass over a run: flow and adapters together. protocol_walk and protocol_index are both made of it. */
#ifndef DRD_PROTOCOL_WALK_H
#define DRD_PROTOCOL_WALK_H

#include "protocol/adapter.h"

/* What the walk tells. All may be NULL. */
struct walk_listener {
    void *context;
    raft_fact_fn fact;
    /* A message (of a known protocol), or the bytes of one call (name "data"), passed an end of a connection. `end_offset`
     * is the offset in that direction after its last byte. */
    void (*message)(void *context, struct flow_end *end, enum flow_way way, uint64_t end_offset, size_t length,
                    const char *name, const struct flow_at *at);
    /* Bytes passed an end, before the messages that end in them; and as flow_handler.unsent, after end->offset went back. */
    void (*bytes)(void *context, struct flow_end *end, enum flow_way way, const uint8_t *data, size_t length);
    void (*unsent)(void *context, struct flow_end *end);
    void (*opened)(void *context, struct flow_connection *c, struct flow_end *end);
    void (*closed)(void *context, struct flow_end *end, const struct flow_at *at);
    void (*freed)(void *context, struct flow_connection *c, void *user);
    void (*written)(void *context, const struct flow_write *write);
    void (*synced)(void *context, struct flow_file *file, uint64_t number, const struct flow_at *at);
    void (*file_freed)(void *context, struct flow_file *file);
    void (*file_read)(void *context, const char *path, struct trace_bytes bytes, const struct flow_at *at);
    bool sent_only; /* decode only what is sent: the receiving side is not asked for names */
};

struct walk *walk_create(const struct walk_listener *listener); /* NULL: out of memory */
void walk_destroy(struct walk *w);
bool walk_event(struct walk *w, const struct trace_event *event); /* false: out of memory */
bool walk_wants(int32_t code);

/* The listener's own pointer at a connection or file. */
void **walk_connection_user(struct flow_connection *c);
void **walk_file_user(struct walk *w, struct flow_file *file);

/* Feed bytes of one direction without a flow: for tests. */
struct way *walk_test_way(struct walk *w, enum flow_way direction);
void walk_test_way_free(struct way *way);
void walk_way_bytes(struct walk *w, struct way *way, const uint8_t *data, size_t length, const struct flow_at *at);
/* Feed one write to a file without a flow, and let go of what the walk kept about the file: for tests. */
void walk_file_write(struct walk *w, const struct flow_write *write);
void walk_file_read(struct walk *w, const struct flow_read *read);
void walk_test_file_free(struct walk *w, struct flow_file *file);
void walk_test_resized(struct walk *w, const char *path, uint64_t size, const struct flow_at *at);
void walk_test_renamed(struct walk *w, const char *from, const char *to, const struct flow_at *at);

#endif
