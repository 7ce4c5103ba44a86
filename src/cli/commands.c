/* The one table of commands. A command that is not compiled in is left out. */
#include "cli/cmd.h"

#define COMMAND(name) extern const struct drd_command cmd_##name __attribute__((weak))
COMMAND(record);
COMMAND(replay);
COMMAND(explain);
COMMAND(show);
COMMAND(log);
COMMAND(fault);
COMMAND(fsck);
COMMAND(doctor);
COMMAND(help);
#undef COMMAND

const struct drd_command *const cmd_table[] = {
    &cmd_record, &cmd_replay, &cmd_explain, &cmd_show, &cmd_log, &cmd_fault, &cmd_fsck, &cmd_doctor, &cmd_help,
};
const size_t cmd_count = sizeof cmd_table / sizeof *cmd_table;
