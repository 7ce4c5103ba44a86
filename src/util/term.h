/* The terminal: colour, width, pager, progress. */
#ifndef DRD_UTIL_TERM_H
#define DRD_UTIL_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Colours mean the same everywhere: one role, one colour. */
enum term_role { TERM_PLAIN, TERM_STRONG, TERM_FAINT, TERM_GOOD, TERM_BAD, TERM_WARN, TERM_NAME };

/* Should this stream be coloured? `when` is "auto", "always" or "never". With auto: FORCE_COLOR not empty says yes,
 * NO_COLOR not empty says no (https://no-color.org), else whether it is a terminal that is not "dumb". */
bool term_color(FILE *stream, const char *when);

/* The escape sequence of a role, "" when `color` is false. TERM_PLAIN ends a colour. */
const char *term_code(bool color, enum term_role role);

/* Whether stdout is a terminal, or goes to the pager, which shows it on one. */
bool term_screen(void);

/* Columns of the terminal on stdout, or behind the pager; COLUMNS, else 80, when there is none. */
int term_width(void);

/* If stdout is a terminal, send it through DRD_PAGER, else PAGER, else "less -FRX". "cat" and "" mean no pager.
 * pager_finish() waits until the reader has closed it; without a pager it does nothing. */
void pager_start(void);
void pager_finish(void);

/* A bar on stderr for work that takes more than a second, when stderr is a terminal. Zero it before the first use. */
struct progress {
    const char *what;   /* "indexing" */
    uint64_t started;   /* ns; 0 before the first step */
    uint64_t drawn;     /* ns of the last drawing */
    bool silent;        /* stderr is no terminal */
    bool visible;
};
void progress_step(struct progress *p, uint64_t done, uint64_t total);
void progress_finish(struct progress *p); /* takes the bar away */

#endif
