/* The state of a cluster after an event, for programs: "drd.state/1". */
#ifndef DRD_REPORT_STATE_H
#define DRD_REPORT_STATE_H

#include "raft/properties.h"
#include "util/json.h"

#define STATE_LOG 256 /* entries of each log that are told: the last */

/* `event` is "" before the first one; `time` in ns since the run began. */
void state_json(struct raft_model *m, const char *run, const char *event, uint64_t time, struct json_writer *j);

#endif
