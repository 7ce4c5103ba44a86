/* What `drd replay` says: text for people, JSON for programs. */
#ifndef DRD_CLI_REPLAY_PRINT_H
#define DRD_CLI_REPLAY_PRINT_H

#include "cli/cmd.h"
#include "replay/replay.h"

struct replay_print {
    const struct store_process *process;
    size_t count;
    const struct replay *replay;
    const char *run;      /* what to call it in a command line */
    uint64_t duration;    /* ns the replay took */
    bool verbose;         /* a line for every process */
    const char *unrecorded; /* what the run says ran without being recorded; "" for nothing */
};

void replay_print_text(const struct replay_print *p);
void replay_print_json(const struct replay_print *p);

#endif
