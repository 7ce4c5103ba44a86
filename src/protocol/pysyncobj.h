/* What the two halves of the pysyncobj adapter share: pysyncobj.c, the messages, and pysyncobj_files.c, the files. */
#ifndef DRD_PROTOCOL_PYSYNCOBJ_H
#define DRD_PROTOCOL_PYSYNCOBJ_H

#include "protocol/adapter.h"
#include "protocol/pickle.h"

/* No message or dump that is decoded grows beyond this. */
#define PYSYNCOBJ_INFLATED_MAX (2u * WAY_MESSAGE_MAX)

/* --- pysyncobj_files.c --- */

/* A zlib or gzip stream that comes in pieces. */
struct inflated {
    struct z_stream_s *stream;
    uint8_t *data;
    size_t length, capacity;
    bool done, failed; /* the stream's end was seen; it makes no sense, or is too long */
};
void inflated_add(struct inflated *i, const uint8_t *data, size_t length);
void inflated_fini(struct inflated *i);

/* From what is replicated, (b"\0" + pickled command, index, term): index, term and content. False: it is not that. */
bool pysyncobj_entry(struct raft_entry *entry, const struct pickle_value *tuple);
void pysyncobj_command(struct raft_entry *entry, const uint8_t *command, size_t length);
/* Of a dump: the state, the last applied entry, the one before it, the nodes. False: it is not that. */
bool pysyncobj_dump_last(const struct pickle_value *dump, uint64_t *index, uint64_t *term);

bool pysyncobj_file_mine(const struct flow_write *w);
void *pysyncobj_file_create(void *state, const char *path);
void pysyncobj_file_destroy(void *file);
/* What is written, and what is read back. */
void pysyncobj_file_write(void *state, struct walk *w, void *file, const struct flow_write *write);

#endif
