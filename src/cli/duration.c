#include "cli/duration.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool duration_read(const char *text, uint64_t *seconds, struct drd_error *e)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && value > 0 && value < 1e7 && i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].name))
            return *seconds = (uint64_t)(value * units[i].seconds + 0.999), true;
    return error_set(e, DRD_EXIT_USAGE, "--for %s: not a duration; 90s, 10min and 2h are", text);
}
