/* Configurations, and changing them one server at a time (4 of the dissertation). A server uses the latest configuration in
 * its log, committed or not. A server is added as a learner first, and votes once it has caught up. */
#include "raft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t promoting; /* a learner that shall become a voter, 0 none */

/* --- as text --- */

size_t configuration_write(const struct configuration *c, char *text, size_t room)
{
    size_t length = 0;
    text[0] = '\0';
    for (unsigned id = 1; id < SERVERS; id++)
        if (c->member[id].standing != OUTSIDER && length < room)
            length += (size_t)snprintf(text + length, room - length, "%s%u%c%s", length ? " " : "", id,
                                       c->member[id].standing == VOTER ? '=' : '~', c->member[id].address);
    return length;
}

bool configuration_read(struct configuration *c, uint64_t index, const char *text, size_t length)
{
    char copy[SERVERS * (WIRE_ADDRESS + 8)], *rest, sign;
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *c = (struct configuration){.index = index};
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        unsigned id;
        char address[WIRE_ADDRESS];
        if (sscanf(word, "%u%c%47s", &id, &sign, address) != 3 || id == 0 || id >= SERVERS || (sign != '=' && sign != '~'))
            return false;
        c->member[id].standing = sign == '=' ? VOTER : LEARNER;
        memcpy(c->member[id].address, address, sizeof address);
    }
    return true;
}

/* --- which one holds --- */

struct configuration configuration_at(uint64_t index)
{
    struct configuration c;
    for (uint64_t i = index; i > raft_log.base_index; i--) {
        const struct entry *entry = log_entry(i);
        if (entry && entry->type == WIRE_CONFIGURATION && configuration_read(&c, i, entry->content, entry->length))
            return c;
    }
    return raft.snapshot_configuration;
}

/* As marks want it: ids, learners with a "*". */
static void mark_configuration(const struct configuration *c)
{
    char text[SERVERS * 4 + 1] = "";
    for (unsigned id = 1, n = 0; id < SERVERS; id++)
        if (c->member[id].standing != OUTSIDER)
            n += (unsigned)sprintf(text + n, "%s%u%s", n ? " " : "", id, c->member[id].standing == LEARNER ? "*" : "");
    drd_configuration(c->index, text);
}

void configuration_refresh(void)
{
    uint64_t before = raft.configuration.index;
    raft.configuration = configuration_at(raft_log.last);
    for (uint64_t id = 1; id < SERVERS && raft.role == LEADER; id++)
        if (!raft.server[id].next_index)
            server_reset(id);
    if (option.marks && raft.configuration.index != before)
        mark_configuration(&raft.configuration);
}

/* Mistake T19b: the one that is committed. */
const struct configuration *configuration_for_quorum(void)
{
    static struct configuration committed;
    if (!PLANTED(T19b))
        return &raft.configuration;
    committed = configuration_at(raft.commit ? raft.commit : 1);
    return &committed;
}

bool is_voter(uint64_t id)
{
    return raft.configuration.member[id].standing == VOTER;
}

unsigned majority(const struct configuration *c)
{
    unsigned voters = 0;
    for (unsigned id = 1; id < SERVERS; id++)
        voters += c->member[id].standing == VOTER;
    return voters / 2 + 1;
}

/* --- changes --- */

static uint64_t configuration_append(struct configuration *c)
{
    char text[SERVERS * (WIRE_ADDRESS + 8)];
    return leader_append(WIRE_CONFIGURATION, text, configuration_write(c, text, sizeof text));
}

/* One change at a time; and none before an entry of this term is committed, or two leaders could change the same old
 * configuration into ones without a common majority (Ongaro, raft-dev, July 2015). */
static const char *change_forbidden(void)
{
    if (raft.role != LEADER || raft.transfer)
        return "not leader";
    if (raft.configuration.index > raft.commit && !MISTAKE(T19d, log_term(raft.commit) == raft.term))
        return "a change is under way";
    if (log_term(raft.commit) != raft.term && !MISTAKE(T19a, true))
        return "nothing of this term committed yet";
    return NULL;
}

const char *membership_change(uint64_t id, const char *address, enum standing standing, uint64_t *index)
{
    struct configuration c = raft.configuration;
    if (id == 0 || id >= SERVERS || strlen(address) >= WIRE_ADDRESS)
        return "no such server";
    if ((c.member[id].standing == OUTSIDER) == (standing == OUTSIDER))
        return standing == OUTSIDER ? "no member" : "a member already";
    const char *why = change_forbidden();
    if (why)
        return why;
    c.member[id].standing = standing == OUTSIDER ? OUTSIDER : LEARNER;
    snprintf(c.member[id].address, WIRE_ADDRESS, "%s", address);
    promoting = standing == VOTER ? id : 0;
    *index = configuration_append(&c);
    return NULL;
}

/* A learner that has what is committed has caught up: it becomes a voter. That is a change, too: who began it in an
 * earlier leadership waits until an entry of this term is committed. (drd explore found that it did not.) */
uint64_t membership_promote(uint64_t learner)
{
    struct configuration c = raft.configuration;
    bool may = raft.role == LEADER && log_term(raft.commit) == raft.term && learner == promoting;
    bool caught_up = raft.server[learner].match_index >= raft.commit && raft.commit >= c.index;
    if (!may || !caught_up || c.member[learner].standing != LEARNER)
        return 0;
    promoting = 0;
    c.member[learner].standing = VOTER;
    return configuration_append(&c);
}

/* A leader that is not in the new configuration steps down when that is committed (4.2.2). */
void membership_committed(uint64_t index)
{
    if (raft.role == LEADER && index == raft.configuration.index && !is_voter(raft.id)) {
        broadcast();
        become_follower(0);
    }
}
