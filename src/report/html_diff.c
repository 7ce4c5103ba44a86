/* Two runs side by side: where they parted, and which events correspond. */
#include "report/html.h"

void report_apart(const struct report *r, FILE *out)
{
    fputs("<section class=\"parted\" aria-label=\"Where the runs parted\">\n<h1>", out);
    if (!r->diff)
        html_printf(out, "These runs cannot be compared: %s", r->apart);
    else if (!r->diff->first.any)
        fputs("No difference that matters was found between the runs", out);
    else
        html_put(out, r->diff->first.why);
    fputs("</h1></section>\n", out);
}
