#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct drd_error *e, enum drd_exit code, const char *format, ...)
{
    if (!e)
        return false;
    va_list ap;
    va_start(ap, format);
    e->exit_code = (int)code;
    vsnprintf(e->message, sizeof e->message, format, ap);
    va_end(ap);
    return false;
}

bool error_set_errno(struct drd_error *e, enum drd_exit code, const char *format, ...)
{
    if (!e)
        return false;
    int number = errno;
    va_list ap;
    va_start(ap, format);
    e->exit_code = (int)code;
    int n = vsnprintf(e->message, sizeof e->message, format, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->message)
        snprintf(e->message + n, sizeof e->message - (size_t)n, ": %s", strerror(number));
    return false;
}

bool error_wrap(struct drd_error *e, const char *format, ...)
{
    if (!e)
        return false;
    char inner[sizeof e->message];
    memcpy(inner, e->message, sizeof inner);
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(e->message, sizeof e->message, format, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->message)
        snprintf(e->message + n, sizeof e->message - (size_t)n, ": %s", inner);
    return false;
}
