/* The rules of stable storage: what must be there before a node says so, what must be back after a restart, and what a
 * snapshot that is installed leaves behind. At which event each is broken, and what only looks so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drd/drd.h"
#include "lib/facts.h"
#include "raft/rule.h"

#define E(term, text) {term, text}

static int setup(void **state)
{
    static struct facts f;
    facts_init(&f, 3);
    for (unsigned i = 0; i < 3; i++)
        facts_tell(&f, i, &(struct raft_fact){.kind = RAFT_FACT_NODE, .peer = {(char)('0' + i)}});
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    facts_fini(*state);
    return 0;
}

/* --- what breaks --- */

static const struct raft_break *find(const struct facts *f, enum raft_class class)
{
    for (size_t i = 0; i < f->model->breaks; i++) {
        if (f->model->rule_break[i].class == class)
            return &f->model->rule_break[i];
    }
    return NULL;
}

static void assert_none(const struct facts *f)
{
    if (f->model->breaks)
        fail_msg("%s: %s", raft_classes[f->model->rule_break[0].class].id, f->model->rule_break[0].text);
}

/* The one break of the run: of this class, at this event of the process that s1 is now. */
static const struct raft_break *assert_break(const struct facts *f, enum raft_class class, uint64_t sequence,
                                             const char *text)
{
    const struct raft_break *b = find(f, class);
    if (!b)
        fail_msg("no %s", raft_classes[class].id);
    assert_string_equal(b->text, text);
    assert_int_equal(b->at.process, f->process[1]);
    assert_int_equal(b->at.sequence, sequence);
    assert_int_equal(f->model->breaks, 1);
    return b;
}

/* --- the files of s1 --- */

enum how { WRITTEN, SYNCED, DSYNC, LOADED };

/* A fact that a file shows: when it is written, when an fsync makes it stable, both by one write, or read back. */
static void file(struct facts *f, enum how how, struct raft_fact fact)
{
    fact.written = how == WRITTEN || how == DSYNC;
    fact.durable = how == SYNCED || how == DSYNC;
    fact.again = how == SYNCED;
    fact.loaded = how == LOADED;
    facts_tell(f, 1, &fact);
}

/* Index 1 is "a", index 2 "b", in all terms. */
static void entry(struct facts *f, enum how how, uint64_t index, uint64_t term)
{
    char text = (char)('a' + index - 1);
    file(f, how, (struct raft_fact){.kind = RAFT_FACT_APPEND, .term = term, .index = index,
                                    .entry = {.index = index, .term = term, .digest = drd_digest(&text, 1), .type = 'c'}});
}

static void stable(struct facts *f, uint64_t first, uint64_t last, uint64_t term)
{
    for (uint64_t i = first; i <= last; i++) {
        entry(f, WRITTEN, i, term);
        entry(f, SYNCED, i, term);
    }
}

static void loaded(struct facts *f, uint64_t first, uint64_t last, uint64_t term)
{
    for (uint64_t i = first; i <= last; i++)
        entry(f, LOADED, i, term);
}

static void truncated(struct facts *f, enum how how, uint64_t index)
{
    file(f, how, (struct raft_fact){.kind = RAFT_FACT_TRUNCATE, .index = index});
}

static void rewritten(struct facts *f, uint64_t base, uint64_t base_term, uint64_t last)
{
    file(f, WRITTEN, (struct raft_fact){.kind = RAFT_FACT_REWRITTEN, .index = base, .term = base_term,
         .entry = {.index = last}});
}

static void snapshot(struct facts *f, enum how how, uint64_t index, uint64_t term, uint64_t state)
{
    file(f, how, (struct raft_fact){.kind = RAFT_FACT_SNAPSHOT, .index = index, .term = term,
                                    .entry = {.index = index, .term = term, .digest = state}});
}

static void snapshot_stable(struct facts *f, uint64_t index, uint64_t term, uint64_t state)
{
    snapshot(f, WRITTEN, index, term, state);
    snapshot(f, SYNCED, index, term, state);
}

static void ballot(struct facts *f, enum how how, uint64_t term, const char *vote)
{
    struct raft_fact fact = {.kind = vote ? RAFT_FACT_VOTE : RAFT_FACT_TERM, .term = term};
    snprintf(fact.peer, sizeof fact.peer, "%s", vote ? vote : "");
    file(f, how, fact);
}

static void ballot_stable(struct facts *f, uint64_t term, const char *vote)
{
    ballot(f, WRITTEN, term, NULL);
    ballot(f, SYNCED, term, NULL);
    if (vote) {
        ballot(f, WRITTEN, term, vote);
        ballot(f, SYNCED, term, vote);
    }
}

static void restart(struct facts *f)
{
    facts_restart(f, 1);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_START, .text = "server"});
}

/* --- what s1 says --- */

static void ask_for_votes(struct facts *f, uint64_t term, uint64_t last, uint64_t last_term)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, 1, 0, term);
    m.prev_index = last;
    m.prev_term = last_term;
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &m});
}

static void asked(struct facts *f, unsigned candidate, uint64_t term)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE, candidate, 1, term);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_RECEIVED, .message = &m});
}

static void grant(struct facts *f, unsigned candidate, uint64_t term)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, candidate, term);
    m.success = true;
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &m});
}

static void refuse(struct facts *f, uint64_t term)
{
    struct raft_message m = facts_message(RAFT_REQUEST_VOTE_RESULT, 1, 0, term);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &m});
}

static void installed(struct facts *f, uint64_t term, uint64_t index)
{
    struct raft_message m = facts_message(RAFT_INSTALL_SNAPSHOT_RESULT, 1, 0, term);
    m.success = true;
    m.match = index;
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_SENT, .message = &m});
}

/* s1 gets entries 1 and 2 of term 1 from s0. */
static void two_entries(struct facts *f)
{
    facts_received(f, 0, 1, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b")), 0);
}

/* --- said before it was stable --- */

static void acknowledged_early(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    entry(f, WRITTEN, 1, 1);
    entry(f, WRITTEN, 2, 1);
    entry(f, SYNCED, 1, 1);
    facts_answer(f, 1, 0, 1, true, 2);
    const struct raft_break *b = assert_break(f, RAFT_T05, f->sequence[1], "s1 acknowledged index 2 to s0 in term 1 before"
                                              " it was on stable storage");
    assert_false(b->likely);
    assert_int_equal(b->healed.how, RAFT_HOW_NONE);
    entry(f, SYNCED, 2, 1);
    assert_int_equal(find(f, RAFT_T05)->healed.sequence, f->sequence[1]); /* from here on nothing comes of it */
}

static void acknowledged_after_failure(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    entry(f, WRITTEN, 1, 1);
    entry(f, WRITTEN, 2, 1);
    facts_tell(f, 1, &(struct raft_fact){.kind = RAFT_FACT_WRITE_FAILED, .text = "fsync log: EIO"});
    facts_answer(f, 1, 0, 1, true, 2);
    const struct raft_break *b = find(f, RAFT_T05);
    assert_non_null(b);
    assert_int_equal(b->index, 1);
    assert_string_equal(b->reason[b->reasons - 1].text, "fsync log: EIO");
}

static void acknowledged_in_time(void **state)
{
    struct facts *f = *state;
    two_entries(f);
    entry(f, WRITTEN, 1, 1);
    entry(f, SYNCED, 1, 1);
    entry(f, DSYNC, 2, 1); /* stable with the write itself */
    facts_answer(f, 1, 0, 1, true, 2);
    facts_vote(f, 2, 0, 1); /* s2 shows no files: nothing is known of them */
    facts_appended(f, 0, 2, 1, 0, 0, ENTRIES(E(1, "a"), E(1, "b")), 0);
    assert_none(f);
}

static void vote_early(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 2, NULL);
    asked(f, 0, 2);
    ballot(f, WRITTEN, 2, "0");
    grant(f, 0, 2);
    assert_break(f, RAFT_T05, f->sequence[1], "s1 granted its vote in term 2 to s0 before the vote was on stable storage");
}

/* The result waits in a queue while the node goes on. */
static void vote_sent_late(void **state)
{
    struct facts *f = *state;
    asked(f, 0, 2);
    ballot_stable(f, 2, "0");
    asked(f, 2, 3);
    ballot_stable(f, 3, "2");
    grant(f, 0, 2);
    grant(f, 2, 3);
    assert_null(find(f, RAFT_T05));
    assert_null(find(f, RAFT_T15));
}

static void snapshot_early(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 2, 1);
    facts_snapshot_received(f, 0, 1, 2, 5, 1);
    rewritten(f, 5, 1, 5);
    installed(f, 2, 5);
    const struct raft_break *b = assert_break(f, RAFT_T05, f->sequence[1], "s1 acknowledged the snapshot up to index 5 to"
                                              " s0 before it was on stable storage");
    assert_int_equal(b->reasons, 1);
    snapshot_stable(f, 5, 1, 0);
    assert_int_equal(find(f, RAFT_T05)->healed.sequence, f->sequence[1]);
}

static void snapshot_in_time(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 2, 1);
    facts_snapshot_received(f, 0, 1, 2, 5, 1);
    snapshot_stable(f, 5, 1, 0);
    rewritten(f, 5, 1, 5);
    installed(f, 2, 5);
    assert_none(f);
}

static void campaign_early(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 2, "1");
    entry(f, WRITTEN, 1, 1);
    ask_for_votes(f, 2, 1, 1);
    assert_break(f, RAFT_T03, f->sequence[1], "s1 asked for votes in term 2 with a log that ends at index 1; index 1 is"
                 " not on stable storage");
}

static void campaign_in_volatile_term(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 2, NULL);
    stable(f, 1, 1, 1);
    ask_for_votes(f, 3, 1, 1);
    const struct raft_break *b = find(f, RAFT_T03);
    assert_non_null(b);
    assert_string_equal(b->text, "s1 asked for votes in term 3; the term on its stable storage is 2");
}

static void speaks_in_volatile_term(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 2, NULL);
    asked(f, 0, 3);
    uint64_t heard = f->sequence[1];
    refuse(f, 3);
    assert_break(f, RAFT_T15, heard, "s1 took over term 3 and speaks in it; the term on its stable storage is 2");
    ballot_stable(f, 3, NULL);
    assert_int_not_equal(find(f, RAFT_T15)->healed.how, RAFT_HOW_NONE);
}

static void term_written_lower(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 3, NULL);
    ballot(f, WRITTEN, 2, NULL);
    assert_break(f, RAFT_T15, f->sequence[1], "s1 wrote term 2 to its file, in which term 3 had been");
}

/* Written, gone with the power before it was synced, and another one is written then. */
static void term_lost_with_the_power(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 1, NULL);
    ballot(f, WRITTEN, 3, NULL);
    restart(f);
    ballot(f, LOADED, 1, NULL);
    ballot_stable(f, 2, NULL);
    assert_null(find(f, RAFT_T15));
    ballot(f, WRITTEN, 1, NULL);
    assert_break(f, RAFT_T15, f->sequence[1], "s1 wrote term 1 to its file, in which term 2 had been");
}

static void vote_carried_over(void **state)
{
    struct facts *f = *state;
    asked(f, 2, 2);
    ballot_stable(f, 2, "2");
    facts_received(f, 0, 1, 3, 0, 0, HEARTBEAT, 0);
    ballot(f, WRITTEN, 3, NULL);
    ballot(f, WRITTEN, 3, "2");
    assert_break(f, RAFT_T15, f->sequence[1], "s1 wrote a vote for s2 in term 3, which nobody had asked for in that term");
}

/* --- after a restart: the log --- */

static void loader_truncates(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    restart(f);
    loaded(f, 1, 3, 1);
    truncated(f, WRITTEN, 2);
    const struct raft_break *b = assert_break(f, RAFT_T14, f->sequence[1], "s1, started again, deleted its log from index"
                                              " 3 on; its file held it up to index 3");
    assert_int_equal(b->index, 3);
}

/* What is cut off is no entry; and what a leader has in its place is cut off rightly. */
static void truncates_rightly(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    restart(f);
    loaded(f, 1, 3, 1);
    truncated(f, WRITTEN, 3);
    facts_received(f, 0, 1, 2, 2, 1, ENTRIES(E(2, "c")), 0);
    truncated(f, WRITTEN, 2);
    truncated(f, SYNCED, 2);
    stable(f, 3, 3, 2);
    facts_answer(f, 1, 0, 2, true, 3);
    assert_none(f);
}

static void announces_less(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    restart(f);
    loaded(f, 1, 3, 1);
    uint64_t last = f->sequence[1];
    ask_for_votes(f, 2, 2, 1);
    assert_break(f, RAFT_T14, last, "s1, started again, names index 2 of term 1 as the end of its log; index 3 of term 1"
                 " was on its stable storage before");
}

/* The last record of the file deletes what is before it. */
static void announces_what_remains(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    truncated(f, WRITTEN, 2);
    truncated(f, SYNCED, 2);
    restart(f);
    loaded(f, 1, 3, 1);
    truncated(f, LOADED, 2);
    ask_for_votes(f, 2, 2, 1);
    assert_none(f);
}

static void files_not_read(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    restart(f);
    ask_for_votes(f, 2, 2, 1);
    assert_true(find(f, RAFT_T14)->likely);
}

static void tail_back(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    truncated(f, WRITTEN, 1);
    truncated(f, SYNCED, 1);
    stable(f, 2, 2, 2);
    restart(f);
    loaded(f, 1, 3, 1);
    truncated(f, LOADED, 1);
    loaded(f, 2, 2, 2);
    uint64_t last = f->sequence[1];
    facts_received(f, 0, 1, 3, 3, 1, HEARTBEAT, 0);
    facts_answer(f, 1, 0, 3, true, 3);
    assert_break(f, RAFT_T14, last, "s1, started again, has index 3 in its log; what it read back ends at index 2, and"
                 " nobody sent it that entry since");
}

/* It lost its power before it had read its log, again: that the entries it had cut off are there is no news of the second start. */
static void tail_back_after_two_starts(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    truncated(f, WRITTEN, 2);
    entry(f, WRITTEN, 3, 2);
    entry(f, WRITTEN, 4, 2);
    restart(f);
    ballot(f, LOADED, 2, NULL);
    restart(f);
    ballot(f, LOADED, 2, NULL);
    loaded(f, 1, 3, 1);
    ask_for_votes(f, 3, 3, 1);
    assert_null(find(f, RAFT_T14));
}

static void sent_after_restart(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 2, 1);
    restart(f);
    loaded(f, 1, 2, 1);
    facts_received(f, 0, 1, 1, 2, 1, ENTRIES(E(1, "c")), 0);
    stable(f, 3, 3, 1);
    facts_answer(f, 1, 0, 1, true, 3);
    facts_received(f, 0, 1, 1, 3, 1, HEARTBEAT, 0);
    facts_answer(f, 1, 0, 1, true, 3);
    assert_none(f);
}

/* A compaction that keeps less in the file than in memory. */
static void rewritten_short(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    snapshot_stable(f, 2, 1, 0);
    rewritten(f, 2, 1, 2);
    const struct raft_break *b = assert_break(f, RAFT_T14, f->sequence[1], "s1 put a log file that ends at index 2 in the"
                                              " place of one that ended at index 3");
    assert_int_equal(b->index, 3);
    uint16_t process = (uint16_t)f->process[1];
    restart(f);
    snapshot(f, LOADED, 2, 1, 0);
    ask_for_votes(f, 2, 2, 1);
    assert_int_equal(f->model->breaks, 1); /* nobody else took it away */
    assert_int_equal(f->model->rule_break[0].at.process, process);
}

static void compacted(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    snapshot_stable(f, 2, 1, 0);
    rewritten(f, 2, 1, 3);
    restart(f);
    snapshot(f, LOADED, 2, 1, 0);
    loaded(f, 3, 3, 1);
    ask_for_votes(f, 2, 3, 1);
    assert_null(find(f, RAFT_T14));
    assert_null(find(f, RAFT_T16));
    assert_null(find(f, RAFT_T25));
}

/* A restart with a shorter log: the snapshot stands for the rest. */
static void shorter_but_snapshotted(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    snapshot_stable(f, 3, 1, 0);
    restart(f);
    snapshot(f, LOADED, 3, 1, 0);
    ask_for_votes(f, 2, 3, 1);
    assert_none(f);
}

static void rolled_back(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    restart(f);
    loaded(f, 1, 2, 1);
    uint64_t last = f->sequence[1];
    ask_for_votes(f, 2, 2, 1); /* it says what it read: no break of its own */
    assert_break(f, RAFT_T25, last, "the files that s1 read back end at index 2; index 3 of term 1 had been on stable"
                 " storage: they were changed"
                 " from outside, or the disk lost it");
}

/* Killed before its fsync: what it reads back then is in the page cache, and the next loss of power may take it. */
static void read_back_only(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 2, 1);
    entry(f, WRITTEN, 3, 1);
    restart(f);
    loaded(f, 1, 3, 1);
    ask_for_votes(f, 2, 3, 1);
    restart(f);
    loaded(f, 1, 2, 1);
    ask_for_votes(f, 3, 2, 1);
    assert_null(find(f, RAFT_T25));
}

/* What it wrote in the place of an entry was lost before it was synced, and a start in between that came to nothing changes nothing. */
static void brought_back_by_a_lost_write(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 2, 1);
    truncated(f, WRITTEN, 1);
    entry(f, WRITTEN, 2, 2);
    restart(f);
    restart(f);
    loaded(f, 1, 2, 1);
    ask_for_votes(f, 3, 2, 1);
    assert_null(find(f, RAFT_T14));
}

/* --- after a restart: term and vote --- */

static void term_rolled_back(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 3, NULL);
    refuse(f, 3);
    restart(f);
    ballot(f, LOADED, 2, NULL);
    uint64_t last = f->sequence[1];
    refuse(f, 2);
    assert_break(f, RAFT_T25, last, "the files that s1 read back say term 2; term 3 had been on stable storage: they were"
                 " changed from outside,"
                 " or the disk lost it");
    assert_non_null(facts_finding(f, RAFT_TERM_MONOTONIC));
}

/* It states a term and loses its power before that is durable: nobody was told. */
static void term_stated_only(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 3, NULL);
    refuse(f, 3);
    facts_state(f, 1, RAFT_FACT_TERM, 0, 4);
    ballot(f, WRITTEN, 4, NULL);
    restart(f);
    ballot(f, LOADED, 3, NULL);
    refuse(f, 3);
    assert_none(f);
}

static void term_forgotten(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 3, NULL);
    refuse(f, 3);
    restart(f);
    ballot(f, LOADED, 3, NULL);
    loaded(f, 1, 1, 2);
    uint64_t last = f->sequence[1];
    refuse(f, 2);
    const struct raft_break *b = assert_break(f, RAFT_T15, last, "s1, started again, is in term 2; it had been in term 3,"
                                              " which its file told it");
    assert_int_equal(b->reason[b->reasons - 1].at.sequence, f->sequence[1]); /* where it shows */
}

static void term_without_files(void **state)
{
    struct facts *f = *state;
    refuse(f, 3);
    restart(f);
    refuse(f, 2);
    assert_break(f, RAFT_T15, f->sequence[1], "s1, started again, is in term 2; it had been in term 3");
}

static void term_kept(void **state)
{
    struct facts *f = *state;
    ballot_stable(f, 3, NULL);
    refuse(f, 3);
    restart(f);
    ballot(f, LOADED, 3, NULL);
    refuse(f, 3);
    assert_none(f);
}

/* --- snapshots --- */

static void compacted_early(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 3, 1);
    rewritten(f, 3, 1, 3);
    assert_break(f, RAFT_T16, f->sequence[1], "s1 put a log file that begins after index 3 in place before a snapshot up"
                 " to there was on stable storage");
    snapshot_stable(f, 3, 1, 0);
    assert_int_equal(find(f, RAFT_T16)->healed.sequence, f->sequence[1]);
}

/* The log was made to fit a snapshot that was sent, and the node died before it had it. */
static void died_installing(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 2, 1);
    facts_snapshot_received(f, 0, 1, 2, 5, 1);
    rewritten(f, 5, 1, 5);
    uint64_t rename = f->sequence[1];
    uint32_t process = f->process[1];
    assert_none(f);
    restart(f);
    ballot(f, LOADED, 2, NULL);
    const struct raft_break *b = find(f, RAFT_T16);
    assert_non_null(b);
    assert_int_equal(b->at.process, process);
    assert_int_equal(b->at.sequence, rename);
}

static void tail_kept(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 4, 1);
    facts_snapshot_received(f, 0, 1, 2, 3, 2); /* index 3 is of term 2 */
    snapshot_stable(f, 3, 2, 0);
    entry(f, WRITTEN, 4, 1);
    assert_break(f, RAFT_T16, f->sequence[1], "s1 kept its log up to index 4 when it installed a snapshot up to index 3 of"
                 " term 2, where it had an"
                 " entry of term 1");
}

/* The same entry at the end of the snapshot: what follows stays. Another one: all goes. */
static void tail_rightly(void **state)
{
    struct facts *f = *state;
    stable(f, 1, 4, 1);
    facts_snapshot_received(f, 0, 1, 2, 3, 1);
    snapshot_stable(f, 3, 1, 0);
    rewritten(f, 3, 1, 4);
    installed(f, 2, 3);
    facts_snapshot_received(f, 0, 1, 3, 4, 3);
    snapshot_stable(f, 4, 3, 0);
    rewritten(f, 4, 3, 4);
    installed(f, 3, 4);
    assert_none(f);
}

static void older_installed(void **state)
{
    struct facts *f = *state;
    snapshot_stable(f, 6, 1, 0);
    facts_snapshot_received(f, 0, 1, 1, 5, 1);
    snapshot(f, WRITTEN, 5, 1, 0);
    const struct raft_break *b = assert_break(f, RAFT_T16, f->sequence[1], "s1 installed a snapshot up to index 5 when it"
                                              " had committed up to index 6");
    assert_int_equal(b->index, 6);
}

static void older_disregarded(void **state)
{
    struct facts *f = *state;
    snapshot_stable(f, 6, 1, 0);
    facts_snapshot_received(f, 0, 1, 1, 5, 1);
    installed(f, 1, 5);
    snapshot(f, WRITTEN, 8, 1, 0); /* one of its own */
    assert_none(f);
}

static void state_not_replaced(void **state)
{
    struct facts *f = *state;
    facts_snapshot_received(f, 0, 1, 1, 5, 1);
    snapshot(f, WRITTEN, 5, 1, 77);
    uint64_t install = f->sequence[1];
    snapshot(f, SYNCED, 5, 1, 77);
    facts_apply(f, 1, 5, 0, 76);
    assert_break(f, RAFT_T16, install, "s1 installed a snapshot up to index 5, and its state is another than the"
                 " snapshot's");
}

static void state_replaced(void **state)
{
    struct facts *f = *state;
    facts_snapshot_received(f, 0, 1, 1, 5, 1);
    snapshot_stable(f, 5, 1, 77);
    facts_apply(f, 1, 5, 0, 77);
    facts_received(f, 0, 1, 1, 5, 1, ENTRIES(E(1, "f")), 6);
    stable(f, 6, 6, 1);
    facts_answer(f, 1, 0, 1, true, 6);
    facts_apply(f, 1, 6, 0, 78);
    assert_none(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(acknowledged_early), TEST(acknowledged_after_failure), TEST(acknowledged_in_time), TEST(vote_early),
        TEST(vote_sent_late), TEST(snapshot_early), TEST(snapshot_in_time), TEST(campaign_early),
        TEST(campaign_in_volatile_term), TEST(speaks_in_volatile_term), TEST(term_written_lower), TEST(term_lost_with_the_power), TEST(vote_carried_over),
        TEST(loader_truncates), TEST(truncates_rightly), TEST(announces_less), TEST(announces_what_remains),
        TEST(files_not_read), TEST(tail_back), TEST(tail_back_after_two_starts),
        TEST(sent_after_restart), TEST(rewritten_short), TEST(compacted), TEST(shorter_but_snapshotted), TEST(rolled_back), TEST(read_back_only), TEST(brought_back_by_a_lost_write),
        TEST(term_rolled_back), TEST(term_forgotten), TEST(term_stated_only), TEST(term_without_files), TEST(term_kept), TEST(compacted_early),
        TEST(died_installing), TEST(tail_kept), TEST(tail_rightly), TEST(older_installed), TEST(older_disregarded),
        TEST(state_not_replaced), TEST(state_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
