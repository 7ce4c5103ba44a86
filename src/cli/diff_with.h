/* drd diff --with BINARY RUN: re-drives nodes with another build of their program, and says where it departs. */
#ifndef DRD_CLI_DIFF_WITH_H
#define DRD_CLI_DIFF_WITH_H

#include "cli/cmd.h"

/* `node`: only this one; "": all that ran the program. The exit code. */
int diff_with(struct cmd_context *c, const char *binary, const char *run, const char *node);

#endif
