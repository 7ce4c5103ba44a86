/* What a process was when it was recorded, from the first record of its stream, and whether this machine still has it.
 *
 * A replay runs the same instructions at the same addresses, so program, libraries and shim must be the very builds that
 * were recorded. That is checked before anything is started: a mismatch found in the middle of a replay reads like a
 * failure of the node. */
#ifndef DRD_REPLAY_MANIFEST_H
#define DRD_REPLAY_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define BUILD_ID_MAX 64

struct build_id {
    uint8_t byte[BUILD_ID_MAX];
    size_t length; /* 0: the file has none */
};

/* The GNU build-id of an ELF file. A file without one gives length 0 and true. */
bool build_id_read(const char *path, struct build_id *out, struct drd_error *e);
/* Lower case hex, as `file` and gdb print it. */
void build_id_text(const struct build_id *id, char *out, size_t size);
#define BUILD_ID_DEBUG "/usr/lib/debug"
/* Where debuggers look for symbols: $DRD_DEBUG_DIR, else that. */
const char *build_id_debug_directory(void);
/* The file with the symbols of this build, in a directory of the layout that debuggers know. False: the name is too long. */
bool build_id_debug_path(const char *directory, const struct build_id *id, char *out, size_t size);
/* The one there; false if there is none. */
bool build_id_debug_file(const struct build_id *id, char *out, size_t size);

struct manifest_object {
    char *path;
    int64_t base;
    struct build_id id;
};

/* Strings are owned by the struct and never NULL after manifest_parse, except where said. */
struct manifest {
    char *exe;      /* what execve was given (AT_EXECFN): it stands on the stack */
    char *program;  /* the file behind it */
    char *cwd;
    char **argv;    /* closed by NULL */
    char **env;     /* closed by NULL */
    int64_t stack_limit; /* bytes, -1: unlimited */
    struct manifest_object *object;
    size_t objects;
    uint8_t *auxv;  /* NULL if not recorded */
    size_t auxv_length;
    const char *root; /* the directory that its files are below, not owned; NULL: "/" */
};

/* Parse the record of TRACE_START of a process started by exec. */
bool manifest_parse(struct manifest *m, const uint8_t *record, size_t length, struct drd_error *e);
void manifest_fini(struct manifest *m);

/* An entry of the recorded auxiliary vector. */
bool manifest_auxv(const struct manifest *m, uint64_t type, uint64_t *value);

/* Start another build in place of the program, under this shim. False: out of memory. */
bool manifest_other_build(struct manifest *m, const char *path, const char *shim);
/* Do all files have their recorded build-ids? */
bool manifest_check_files(const struct manifest *m, struct drd_error *e);
/* All but the program itself, and the shim. */
bool manifest_check_libraries(const struct manifest *m, struct drd_error *e);
/* Is one mapped later (TRACE_IMAGE) the recorded one? `root` as above. */
bool manifest_check_image(const char *root, const char *path, const struct build_id *recorded, struct drd_error *e);
/* Can this machine have the recorded addresses at all? */
bool manifest_check_machine(const struct manifest *m, struct drd_error *e);
/* A processor that differs may take other paths through libc (IFUNC). Writes one line and returns true if so. */
bool manifest_cpu_differs(const struct manifest *m, char *out, size_t size);

#endif
