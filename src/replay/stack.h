/* What the files of src/replay share about one stack that is being read. */
#ifndef DRD_REPLAY_STACK_H
#define DRD_REPLAY_STACK_H

#include "replay/frames.h"
#include "replay/manifest.h"
#include "replay/replay.h"
#include "trace/spool.h"

#define STACK_NOTE 256

/* A program or library that the process had mapped, of the recorded build. */
struct stack_object {
    char *path;
    uint64_t base;
    struct build_id id;
};

struct stack_frame {
    struct replay_frame frame;
    const struct stack_object *object; /* where it would have a line if there were symbols; NULL for kept ones and Python */
};

struct stack {
    struct store *store;
    const struct store_process *process; /* all of them */
    size_t count;
    const char *root;                    /* the directory that its files are below; NULL: "/" */
    uint32_t number;                     /* the process whose stack it is */
    uint64_t sequence;
    struct replay *replay;               /* that is under way, or NULL */
    struct stack_object *object;
    size_t objects;
    struct stack_frame frame[FRAMES_MAX];
    size_t frames;
    char note[STACK_NOTE];
    bool live;       /* its files are those that are mapped now, not the recorded ones */
    bool improvable; /* kept without lines, and meanwhile the symbols are there */
};

/* The stopped process: what the shim said of it, and its memory. */
struct stack_process {
    const struct replay_file *file;
    int memory; /* /proc/PID/mem */
};
bool stack_read(const struct stack_process *p, uint64_t address, void *to, size_t size);

/* objects.c: what the loader had mapped; with `images` what was mapped later, up to the event. */
bool stack_objects(struct stack *s, bool images);
/* The same of what a process has mapped now. */
bool stack_objects_live(struct stack *s, uint32_t pid);
void stack_objects_fini(struct stack *s);

/* unwind.c: fill in `frame`, from the registers and the memory. */
void stack_unwind(struct stack *s, const struct stack_process *p);

/* python.c: the same for a CPython, from the addresses of its symbols; 0: not there. Leaves no frames where it cannot. */
struct stack_python {
    uint64_t runtime, version, code_type, unicode_type, bytes_type;
    const char *object;
};
void stack_python(struct stack *s, const struct stack_process *p, const struct stack_python *python);
/* The line of a place in the code, from the bytes of co_linetable; `first` if they do not say. */
unsigned python_line(const uint8_t *table, size_t length, unsigned first, uint64_t unit);

/* package.c: a note of what brings the lines that are missing. */
void stack_note_packages(struct stack *s);

/* kept.c: table `frame` of the run. */
bool kept_read(struct stack *s);
void kept_write(struct stack *s);

#endif
