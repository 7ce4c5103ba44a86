/* What `drd show` says of a run: read through once, then as text or JSON. */
#ifndef DRD_CLI_SHOW_H
#define DRD_CLI_SHOW_H

#include "cli/run_view.h"
#include "trace/reader.h"
#include "util/json.h"

#define SHOW_KINDS (CALL_MAX - TRACE_CODE_MIN)
#define SHOW_UNHANDLED 32
#define SHOW_STATUS 64

/* A word with a number, for the tables. */
struct tally {
    const char *name;
    uint64_t count;
};

/* What the streams say when they are read through once. */
struct census {
    uint64_t code[SHOW_KINDS];    /* by code - TRACE_CODE_MIN */
    uint64_t call[CALL_MAX];      /* unhandled ones by system call number */
    uint64_t events;
    struct tally kind[SHOW_KINDS], unhandled[SHOW_UNHANDLED]; /* the same, most frequent first */
    size_t kinds, unhandleds;
    char name[SHOW_UNHANDLED][32];
};
bool census_take(struct run_view *v, struct census *out, struct drd_error *e);

/* Call `each` for the messages of the run by type, as the indexing pass found them, most frequent first. */
bool show_message_types(struct run_view *v, void (*each)(void *, const char *, uint64_t), void *context, struct drd_error *e);

/* "exit 0", "killed by SIGKILL", "became ls", "unknown" */
const char *show_status(const struct run_view *v, const struct store_process *p, char out[SHOW_STATUS]);
const char *show_base_name(const char *path);
uint64_t show_file_size(const char *path);

/* The stack behind an event; NULL only for a damaged run. Free with free(3). */
struct show_frames;
struct show_frames *show_frames_read(const struct run_view *v, const struct store_process *p, uint64_t sequence,
                                     struct drd_error *e);
void show_frames_print(const struct show_frames *f);
void show_frames_json(const struct show_frames *f, struct json_writer *j); /* members "frames", "frames_note", "acting" */

bool show_text(struct cmd_context *c, struct run_view *v, const struct census *census, bool helpers);
bool show_json(struct cmd_context *c, struct run_view *v, const struct census *census);

#endif
