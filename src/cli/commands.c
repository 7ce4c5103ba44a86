/* The one table of commands. */
#include "cli/cmd.h"

extern const struct drd_command cmd_record, cmd_simulate, cmd_explore, cmd_shrink, cmd_whatif, cmd_replay, cmd_explain, cmd_diff,
    cmd_triage, cmd_report, cmd_export, cmd_show, cmd_log, cmd_blame, cmd_bisect, cmd_tag, cmd_notes, cmd_gc, cmd_pack,
    cmd_unpack, cmd_fault, cmd_fsck, cmd_doctor, cmd_help;

const struct drd_command *const cmd_table[] = {
    &cmd_record, &cmd_simulate, &cmd_explore, &cmd_shrink, &cmd_whatif, &cmd_replay, &cmd_explain, &cmd_diff, &cmd_triage,
    &cmd_report, &cmd_export,   &cmd_show,    &cmd_log,    &cmd_blame,  &cmd_bisect,  &cmd_tag,  &cmd_notes,
    &cmd_gc,     &cmd_pack,     &cmd_unpack,  &cmd_fault,  &cmd_fsck,   &cmd_doctor,  &cmd_help,
};
const size_t cmd_count = sizeof cmd_table / sizeof *cmd_table;
