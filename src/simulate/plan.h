/* What is done to a simulated world beside what its seed decides: faults at moments, and decisions that are to fall otherwise.
 *
 * A plan is text, one step a line, in this order of words; it stands in the run as fact "plan", so that a run can be run again, made
 * smaller and changed:
 *
 *   at 1.250000000 cut n1 n2        a fault (docs/drd-fault.md lists them) at a moment, seconds since the beginning
 *   event 12@4711 timer +50000000   the decision that process 12 meets at the record 4711 of its stream: its timeout is longer, ns
 *   event 12@4711 draw 7            ... the first integer of the random bytes it is given
 *   event 12@4711 drop              ... the message that it sends there is lost
 *   event 12@4711 delay 10000000    ... arrives that much later, ns
 *   event 12@4711 fail 5            ... the call fails with this errno
 *   event 12@4711 crash             ... the process's node loses its power there
 *   event 12@4711 clock 1700000000000000000  ... the time of day that it reads there, ns since 1970
 *   event 12@4711 read 736974650a   ... the bytes that it reads from a file there, in hexadecimal digits
 *   event 12@4711 after 7@300       ... it waits for what process 7 does at record 300: the message that it sends arrives after that,
 *                                   another call is not answered before; for PLAN_PATIENCE at most
 *   event 12@4711 fresh 77          ... from here on chance follows from another seed
 *   fresh 2.5 77                    from this moment on it does
 *   strike 2.5 77 n1                where a model makes faults: one, drawn from this seed, at this moment, and no other while it lasts;
 *                                   without a name: on any node
 *   rest 1.5 1.9 12                 between these moments process 12 does nothing
 *   calm 1.5 1.9                    between these moments no message is late: the tail of the delays is cut off
 *   end 3.25                        the world ends here, whatever the command wants
 *
 * An event is named by the number of records that stand in the stream when the process asks: the number of the record of its call,
 * or, where another thread of the process goes on before the answer comes, of the TRACE_SWITCH to that thread.
 * A negative delay is none. What is dropped of a stream is missing in it, and the rest goes on.
 */
#ifndef DRD_SIMULATE_PLAN_H
#define DRD_SIMULATE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define PLAN_PATIENCE 10000000000u /* ns of the world that something waits for what may never come */

enum plan_kind { PLAN_FAULT, PLAN_TIMER, PLAN_DRAW, PLAN_DROP, PLAN_DELAY, PLAN_FAIL, PLAN_CRASH, PLAN_CLOCK, PLAN_READ, PLAN_AFTER, PLAN_FRESH,
                 PLAN_REST, PLAN_CALM, PLAN_STRIKE, PLAN_END };

struct plan_step {
    enum plan_kind kind;
    uint64_t at;       /* FAULT, FRESH, REST, CALM, STRIKE, END: ns of the world */
    uint32_t process;  /* REST, the others, and FRESH at an event (from 1): process number of the run ... */
    uint64_t event;    /* ... and number of the record in its stream */
    uint32_t other;    /* AFTER: process number, and in `value` that of the record that it waits for */
    int64_t value;     /* TIMER, DELAY, CLOCK: ns; DRAW; FAIL: errno; FRESH, STRIKE: seed; REST, CALM: ns of the world at which it ends */
    char words[200];   /* FAULT; READ: digits; STRIKE: the node, "" any */
    bool drawn;        /* FAULT: by a model, and no matter if it cannot be */
    bool met;          /* set by the machine: it came to pass */
    bool seen;         /* ... its moment or event was reached */
    bool waits, done;  /* ... AFTER: something has waited; it need not any more */
};

struct plan {
    struct plan_step *step;
    size_t count;
};

/* Does the step happen at a moment? The others happen at an event. */
static inline bool plan_at_moment(const struct plan_step *s)
{
    return s->kind == PLAN_FAULT || s->kind > PLAN_FRESH || (s->kind == PLAN_FRESH && !s->process);
}

bool plan_read(struct plan *p, const char *text, struct drd_error *e); /* the error names line and word */
char *plan_text(const struct plan *p);                                 /* to be freed; NULL: out of memory */
size_t plan_bytes(const struct plan_step *s, uint8_t out[100]);        /* of READ; how many */
bool plan_add(struct plan *p, const struct plan_step *step, struct drd_error *e);
void plan_fini(struct plan *p);

#endif
