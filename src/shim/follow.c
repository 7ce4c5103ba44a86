/* From the end of a recorded stream into the simulated world. The process was re-driven so far, as in any replay; what its
 * descriptors, peers and files are, the simulator knows from the streams (simulate/follow.h), and the stream so far is in the
 * spool. So from here on each call is asked there: first of all by each thread whether it may run. */
#include "shim/shim.h"

bool follow_has_begun;

bool follow_wanted(void)
{
    return stream.file->follow == FOLLOW_ON;
}

void follow_begin(void)
{
    struct replay_file *f = stream.file;
    uint64_t stamp = f->follow_stamp;
    if (!start_follow())
        trace_failed("the simulated world is not there", 0, 0);
    follow_has_begun = true;
    shim_world = WORLD_LIVE;
    if (!stream_follow_on(stamp))
        RAW(SYS_exit_group, 125);
    signals_follow();
    f->events = stream.events;
    __atomic_store_n(&f->state, REPLAY_GOES_ON, __ATOMIC_RELEASE);
    baton_turns_end();
}

void follow_thread(void)
{
    if (self.followed)
        return;
    self.followed = true;
    simulated_follow();
}
