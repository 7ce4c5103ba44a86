/* Where in its program a node was when an event happened: the stack of the thread that made it.
 *
 * The process is re-driven up to the event. There it waits inside the shim, whose note of its registers (struct replay_file)
 * is where libdw begins; the memory is read through /proc/PID/mem. No ptrace. What was found is kept in the run, table `frame`,
 * so that it explains itself where the programs are not. */
#ifndef DRD_REPLAY_FRAMES_H
#define DRD_REPLAY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define FRAMES_MAX 64 /* as many as are kept of a stack */

struct replay_frame {
    char function[128]; /* "" if its file does not say */
    char file[256];     /* source as the compiler was told, "" if not known */
    unsigned line;      /* 0: not known */
    char object[128];   /* base name of the ELF file */
    uint64_t offset;    /* in that file, as addr2line takes it; 0 for a frame of Python */
};

/* The stack of the thread that makes event `sequence` of `process`, innermost first: without DRD's own frames, without those of
 * libc above the first that is not libc's, with the functions that the compiler put inline. Of a CPython 3.11 its Python
 * frames. Kept frames are given without looking at the programs. `note` says in one line why there are none, or what would
 * give their lines, else "". Takes ten seconds at most. False only for a damaged run file and the like. */
bool replay_frames(struct store *s, const struct store_process *processes, size_t count, uint32_t process, uint64_t sequence,
                   struct replay_frame *out, size_t max, size_t *found, char note[256], struct drd_error *e);

/* The stack of a process that waits inside the shim now, whatever its program is: of the files that /proc says are mapped. Call it
 * from replay_options.at_event. */
struct replay_file;
void replay_frames_live(const struct replay_file *file, struct replay_frame *out, size_t max, size_t *found, char note[256]);

/* Put the stacks that are kept in another run, attached to this one's database as "source", into this one. */
bool replay_frames_copy(struct store *s, struct drd_error *e);

/* A node that receives something stands in its event loop: what it makes of it shows where it acts. *acting is the first event
 * behind `sequence` that goes out or states something (a write, a send, an fsync, a timer, a mark), on the same thread and before
 * its next input; `sequence` itself where there is none, or where that is no input. */
bool replay_frames_acting(struct store *s, uint32_t process, uint64_t sequence, uint64_t *acting, struct drd_error *e);

#endif
