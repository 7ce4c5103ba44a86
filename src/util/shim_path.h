/* Where the shim is. */
#ifndef DRD_UTIL_SHIM_PATH_H
#define DRD_UTIL_SHIM_PATH_H

#include <limits.h>
#include <stdbool.h>

#include "util/error.h"

/* The absolute path of libdrd_shim.so: the environment variable DRD_SHIM, else beside this program (build tree), else where
 * `make install` and the package put it, relative to this program, so that both can be moved. */
bool shim_path(char out[PATH_MAX], struct drd_error *e);

#endif
