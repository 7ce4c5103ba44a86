/* Snapshots (7, Figure 13): the state as of the applied index stands for the log up to there. */
#include "raft.h"

#include <stdlib.h>
#include <string.h>

/* --- taking --- */

static void log_compact_to(uint64_t index)
{
    if (index > raft_log.base_index)
        log_compact(index, log_term(index), true);
}

static void snapshot_name(uint64_t index, uint64_t term, const struct configuration *c)
{
    raft.snapshot_index = index;
    raft.snapshot_term = term;
    raft.snapshot_configuration = *c;
    if (option.marks)
        drd_mark(DRD_MARK_SNAPSHOT, index, term, kv_digest(), NULL, 0);
}

/* The snapshot is in place before the log loses anything: whenever we die, one of them holds every entry. */
void snapshot_take(void)
{
    uint64_t index = raft.applied, keep = option.trailing < index ? index - option.trailing : 0;
    if (PLANTED(T23c) && index - 1 > raft_log.base_index)
        index--;
    struct configuration c = configuration_at(raft.applied);
    if (MISTAKE(T19e, raft.configuration.index > raft.applied))
        c = raft.configuration;
    struct buffer file = kv_snapshot(index, log_term(index), &c);
    uint64_t term = log_term(index);
    if (MISTAKE(T16e, keep > raft_log.base_index)) {
        log_compact_to(keep);
        crash_point("compacting");
    }
    file_replace("snapshot", file.bytes, file.length);
    free(file.bytes);
    snapshot_name(index, term, &c);
    crash_point("compacting");
    log_compact_to(keep < index ? keep : index);
}

void snapshot_take_if_due(void)
{
    if (option.snapshot && raft.applied >= raft.snapshot_index + option.snapshot)
        snapshot_take();
}

/* --- starting from one --- */

/* What a snapshot file says of itself. False: it is damaged. */
static bool snapshot_read(const char *bytes, size_t length, struct file_snapshot *head, struct configuration *c)
{
    if (length < sizeof *head)
        return false;
    memcpy(head, bytes, sizeof *head);
    struct file_snapshot summed = *head;
    summed.checksum = 0;
    uint64_t sum = checksum(checksum(CHECKSUM_START, &summed, sizeof summed), bytes + sizeof *head, length - sizeof *head);
    if (memcmp(head->magic, FILE_SNAPSHOT_MAGIC, sizeof head->magic) != 0 || head->version != WIRE_VERSION ||
        sum != head->checksum || head->configuration_length > length - sizeof *head)
        return false;
    return configuration_read(c, head->configuration_index, bytes + sizeof *head, head->configuration_length);
}

void snapshot_restore(void)
{
    struct buffer file = file_read("snapshot");
    struct file_snapshot head;
    struct configuration c;
    if (!file.bytes)
        return;
    if (!snapshot_read(file.bytes, file.length, &head, &c) || !kv_restore(file.bytes, file.length))
        die("snapshot", "it is damaged");
    free(file.bytes);
    raft.commit = raft.applied = raft.restored = head.last_index;
    snapshot_name(head.last_index, head.last_term, &c);
}

/* --- sending --- */

/* One at a time; again if no answer comes for ten heartbeats. */
void snapshot_send(uint64_t to)
{
    struct server *s = &raft.server[to];
    if (s->snapshot == raft.snapshot_index && s->snapshot && now_ms() - s->snapshot_time < option.heartbeat * 10)
        return;
    struct buffer file = file_read("snapshot");
    char *body = malloc(sizeof(struct wire_install_snapshot) + file.length);
    if (!file.bytes || !body)
        die("snapshot", "gone");
    struct wire_install_snapshot m = {.last_index = raft.snapshot_index, .last_term = raft.snapshot_term,
                                      .round = raft.round, .length = (uint32_t)file.length};
    memcpy(body, &m, sizeof m);
    memcpy(body + sizeof m, file.bytes, file.length);
    message_send(to, WIRE_INSTALL_SNAPSHOT, 0, raft.term, body, sizeof m + file.length);
    s->snapshot = raft.snapshot_index;
    s->snapshot_time = now_ms();
    free(file.bytes);
    free(body);
}

void snapshot_reply_receive(const struct wire_header *h, const struct wire_snapshot_reply *m)
{
    struct server *s = &raft.server[h->from];
    if (raft.role != LEADER || h->term != raft.term)
        return;
    s->heard = now_ms();
    s->snapshot = 0;
    if (m->round > s->round)
        s->round = m->round;
    if (m->last_index > s->match_index && m->last_index <= raft_log.last)
        s->match_index = m->last_index;
    if (s->next_index <= s->match_index)
        s->next_index = s->match_index + 1;
    s->probing = false;
    replicate(h->from);
    commit_advance();
}

/* --- installing --- */

/* Mistake T05e: what is acknowledged already. */
static struct buffer unwritten;

static void snapshot_write_late(void)
{
    file_replace("snapshot", unwritten.bytes, unwritten.length);
    free(unwritten.bytes);
    unwritten.bytes = NULL;
}

static void snapshot_keep(const char *bytes, size_t length)
{
    if (!MISTAKE(T05e, true))
        return file_replace("snapshot", bytes, length);
    free(unwritten.bytes);
    unwritten.bytes = malloc(length);
    unwritten.length = length;
    if (!unwritten.bytes)
        die("snapshot", "no memory");
    memcpy(unwritten.bytes, bytes, length);
    later(snapshot_write_late);
}

/* Receiver 6 and 7: what follows the snapshot stays if our log has its last entry, of the same term; else all of it goes. */
static void log_fit(const struct file_snapshot *head)
{
    bool has = raft_log.last >= head->last_index && log_term(head->last_index) == head->last_term;
    bool keep = has || MISTAKE(T16a, raft_log.last > head->last_index);
    if (head->last_index > raft_log.base_index || !keep)
        log_compact(head->last_index, head->last_term, keep);
}

static void snapshot_install(const struct file_snapshot *head, struct configuration *c, const char *bytes, size_t length)
{
    if (MISTAKE(T16c, c->index != raft.snapshot_configuration.index))
        *c = raft.configuration;
    if (MISTAKE(T15d, head->last_term < raft.term))
        vote_write(head->last_term, 0);
    snapshot_keep(bytes, length);
    crash_point("installing");
    if (!MISTAKE(T16b, true))
        kv_restore(bytes, length);
    log_fit(head);
    snapshot_name(head->last_index, head->last_term, c);
    configuration_refresh();
    raft.commit = raft.applied = raft.restored = head->last_index;
    raft.installed = true;
    if (option.marks)
        drd_commit(raft.commit);
}

void install_snapshot_receive(const struct wire_header *h, const struct wire_install_snapshot *m, size_t length)
{
    const char *bytes = (const char *)(m + 1);
    struct file_snapshot head;
    struct configuration c;
    struct wire_snapshot_reply reply = {.round = m->round};
    if (!leader_accepted(h)) /* the term of the reply says why */
        return message_send(h->from, WIRE_SNAPSHOT_REPLY, 0, raft.term, &reply, sizeof reply);
    if (m->length != length - sizeof *m || !snapshot_read(bytes, m->length, &head, &c))
        return;
    if (head.last_index > raft.commit || MISTAKE(T16d, head.last_index < raft.commit))
        snapshot_install(&head, &c, bytes, m->length);
    reply.last_index = head.last_index;
    message_send(h->from, WIRE_SNAPSHOT_REPLY, 0, raft.term, &reply, sizeof reply);
}
