/* The baton: threads of one process run one at a time, so that the order in which they touch memory is the order of the
 * stream. Live, it is a ticket lock: first come, first served (a plain lock starves whoever waits for a poll loop). In
 * the trace world the stream says whose turn it is. futex(2). */
#include "shim/shim.h"

#include <linux/futex.h>

volatile uint32_t baton_threads = 1;
volatile uint32_t baton_serving;
volatile uint32_t baton_turn;
static uint32_t baton_next = 1;
static volatile bool baton_is_open;

static void word_wait(volatile uint32_t *word, uint32_t value)
{
    RAW(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

/* As word_wait; false after STUCK_AFTER. */
#define STUCK_AFTER 10 /* s */

static bool word_wait_long(volatile uint32_t *word, uint32_t value)
{
    const struct timespec longest = {STUCK_AFTER, 0};
    return RAW(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &longest, 0, 0) != -ETIMEDOUT;
}

/* A thread keeps the baton and makes no call: it computes, or spins until another one changes memory, and then would do so
 * for ever. The node must go on: recording ends here. */
static void baton_stuck(uint32_t serving)
{
    if (shim_world == WORLD_LIVE && __atomic_load_n(&baton_serving, __ATOMIC_SEQ_CST) == serving)
        stream_stop(SPOOL_REASON_STUCK, 0);
}

/* Whoever holds the baton gives it up soon, as a rule: look for some microseconds before going to sleep, which takes two
 * switches of the processor and often ten times as long. True if the word became `wanted`. */
#define SPINS 400

static bool word_spin(const volatile uint32_t *word, uint32_t wanted)
{
    for (int i = 0; i < SPINS; i++) {
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == wanted)
            return true;
        cpu_relax();
    }
    return false;
}

static void word_wake(volatile uint32_t *word)
{
    RAW(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

void baton_init(void)
{
    baton_threads = 1;
    baton_serving = 0;
    baton_next = 1;
    baton_turn = self.number;
}

void baton_acquire(void)
{
    if (baton_is_open || simulated)
        return;
    uint32_t ticket = __atomic_fetch_add(&baton_next, 1, __ATOMIC_SEQ_CST), now;
    word_spin(&baton_serving, ticket);
    while ((now = __atomic_load_n(&baton_serving, __ATOMIC_SEQ_CST)) != ticket && !baton_is_open)
        if (!word_wait_long(&baton_serving, now))
            baton_stuck(now);
    if (stream.thread != self.number && shim_world == WORLD_LIVE) {
        stream.thread = self.number;
        stream_put(TRACE_SWITCH, 1, (int64_t)self.number);
    }
}

/* Does somebody wait for the baton that this thread holds? */
static bool baton_wanted(void)
{
    return __atomic_load_n(&baton_next, __ATOMIC_SEQ_CST) != baton_serving + 1;
}

void baton_release(void)
{
    if (baton_is_open || simulated)
        return;
    uint32_t now = __atomic_add_fetch(&baton_serving, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&baton_next, __ATOMIC_SEQ_CST) != now)
        word_wake(&baton_serving);
}

void baton_yield(void)
{
    if (baton_is_open || simulated || !baton_wanted())
        return;
    baton_release();
    baton_acquire();
}

void baton_open(void)
{
    baton_is_open = true;
    word_wake(&baton_serving);
}

#define NO_TURNS UINT32_MAX

void baton_wait_turn(void)
{
    uint32_t now;
    word_spin(&baton_turn, self.number);
    while ((now = __atomic_load_n(&baton_turn, __ATOMIC_SEQ_CST)) != self.number && now != NO_TURNS)
        word_wait(&baton_turn, now);
}

void baton_give_turn(uint32_t thread)
{
    __atomic_store_n(&baton_turn, thread, __ATOMIC_SEQ_CST);
    word_wake(&baton_turn);
}

void baton_turns_end(void)
{
    baton_give_turn(NO_TURNS);
}
