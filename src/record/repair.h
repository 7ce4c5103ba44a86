/* drd fsck --repair: finish a run whose recorder was killed, from what its spool still holds. */
#ifndef DRD_RECORD_REPAIR_H
#define DRD_RECORD_REPAIR_H

#include "record/finish.h"

struct repair_report {
    bool needed;              /* the run was unfinished */
    bool spool_found;         /* its spool was still there */
    uint64_t recovered;       /* bytes of stream that were not in the run file yet */
    struct run_summary summary;
};

/* Refuses while the recorder lives. A finished run is left as it is. */
bool record_repair(const char *run_path, struct repair_report *report, struct drd_error *e);

#endif
