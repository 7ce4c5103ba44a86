/* Files of the simulated world: plans, and models of faults. "-": standard input. */
#ifndef DRD_CLI_PLAN_FILE_H
#define DRD_CLI_PLAN_FILE_H

#include "simulate/model.h"

char *plan_file_text(const char *path, struct drd_error *e); /* to be freed; NULL: it cannot be read */
const char *plan_file_name(const char *path);                /* for a message */
bool model_file_read(struct model *model, const char *path, struct drd_error *e);

#endif
