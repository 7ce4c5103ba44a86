/* The state machine: keys with values, and for every client the latest command it numbered, so that a command which is sent
 * again is not done again (8, and 6.3 of the dissertation). `digest` is chained over everything done: it stands for it. */
#include "raft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 1024, SESSIONS = 256, HISTORY = 64, KEY = 24, VALUE = 40, COMMAND = 96 };

static struct {
    uint64_t digest;
    unsigned pairs, sessions;
    struct file_pair pair[PAIRS];          /* a hash table with open addresses */
    struct file_session session[SESSIONS]; /* in the order of their first commands */
} state;

static struct {
    char command[HISTORY][COMMAND];
    uint64_t count;
} history;

static struct file_session forgotten[SESSIONS]; /* mistake T23d: what a restart should have known */
static unsigned forgotten_count;

uint64_t kv_digest(void)
{
    return state.digest;
}

/* --- keys --- */

static struct file_pair *pair_find(const char *key)
{
    size_t slot = checksum(CHECKSUM_START, key, strlen(key)) % PAIRS;
    while (state.pair[slot].key[0] && strcmp(state.pair[slot].key, key) != 0)
        slot = (slot + 1) % PAIRS;
    return &state.pair[slot];
}

const char *kv_get(const char *key)
{
    const struct file_pair *pair = pair_find(key);
    return pair->key[0] ? pair->value : NULL;
}

/* Everything that changes the state goes through here. */
static void pair_put(const char *key, const char *value)
{
    char text[KEY + VALUE + 2];
    struct file_pair *pair = pair_find(key);
    if (!pair->key[0] && state.pairs + 1 < PAIRS) { /* one slot stays free, so that every search ends */
        snprintf(pair->key, KEY, "%s", key);
        state.pairs++;
    }
    if (pair->key[0])
        snprintf(pair->value, VALUE, "%s", value);
    int length = snprintf(text, sizeof text, "%s=%s", key, value);
    uint64_t link[2] = {state.digest, checksum(CHECKSUM_START, text, (size_t)length)};
    state.digest = checksum(CHECKSUM_START, link, sizeof link);
}

/* --- mistakes T24: what differs from server to server gets into the state --- */

static void value_of_file(const char *name, char *value)
{
    struct buffer file = file_read(name);
    snprintf(value, VALUE, "%.*s", (int)strcspn(file.bytes ? file.bytes : "none", "\n"), file.bytes ? file.bytes : "none");
    free(file.bytes);
}

static void value_spoil(char *value)
{
    char before[VALUE];
    const char *site = getenv("RAFTKV_SITE");
    snprintf(before, sizeof before, "%s", value);
    if (MISTAKE(T24a, true)) {
        uv_timeval64_t now;
        uv_gettimeofday(&now);
        snprintf(value, VALUE, "%.20s@%" PRId64, before, now.tv_sec * 1000000 + now.tv_usec);
    }
    if (MISTAKE(T24c, site && *site))
        snprintf(value, VALUE, "%.12s-%.24s", site, before);
    if (MISTAKE(T24d, before[0] == '@' && !strchr(before, '/')))
        value_of_file(before + 1, value);
}

static uint64_t count_of_new(void)
{
    uint16_t drawn = 0;
    if (MISTAKE(T24b, true))
        uv_random(NULL, NULL, &drawn, sizeof drawn, 0, NULL);
    return drawn;
}

/* --- commands --- */

static struct file_session *session_find(struct file_session *session, unsigned count, const char *client)
{
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(session[i].client, client))
            return &session[i];
    return NULL;
}

static struct file_session *session_of(const char *client)
{
    struct file_session *session = session_find(state.session, state.sessions, client);
    if (session || state.sessions == SESSIONS)
        return session;
    session = &state.session[state.sessions++];
    *session = (struct file_session){.seq = 0};
    snprintf(session->client, sizeof session->client, "%s", client);
    return session;
}

static bool was_forgotten(const char *client, uint64_t seq)
{
    const struct file_session *old = session_find(forgotten, forgotten_count, client);
    return old && seq <= old->seq;
}

/* Adds one, unless this command was done before: then the client gets the answer it missed. No more sessions: not done. */
static struct outcome count_apply(const char *key, const char *client, uint64_t seq)
{
    char value[VALUE];
    struct file_session *session = session_of(client);
    if (!session)
        return (struct outcome){true, 0};
    if (seq <= session->seq && !MISTAKE(T23a, true))
        return (struct outcome){true, session->value};
    (void)MISTAKE(T23d, was_forgotten(client, seq));
    const char *old = kv_get(key);
    uint64_t count = (old ? strtoull(old, NULL, 10) : count_of_new()) + 1;
    snprintf(value, sizeof value, "%" PRIu64, count);
    pair_put(key, value);
    session->seq = seq;
    session->value = count;
    return (struct outcome){true, count};
}

static struct outcome command_apply(const char *command)
{
    char key[KEY] = "", rest[VALUE] = "", client[24] = "";
    uint64_t seq;
    if (sscanf(command, "%23[^+=]++%23[^#]#%" SCNu64, key, client, &seq) == 3)
        return count_apply(key, client, seq);
    if (sscanf(command, "%23[^=]=%39s", key, rest) != 2)
        return (struct outcome){false, 0};
    value_spoil(rest);
    pair_put(key, rest);
    return (struct outcome){false, 0};
}

/* Deterministic, or the servers part: nothing but the entry and the state may count. */
struct outcome kv_apply(uint64_t index, const struct entry *entry)
{
    (void)index;
    if (entry->type != WIRE_COMMAND || entry->length >= COMMAND)
        return (struct outcome){false, 0};
    snprintf(history.command[history.count++ % HISTORY], COMMAND, "%s", entry->content);
    return command_apply(entry->content);
}

/* --- as text --- */

struct buffer kv_list(void)
{
    struct buffer b = {malloc(PAIRS * (KEY + VALUE + 2) + 1), 0};
    for (size_t i = 0; i < PAIRS && b.bytes; i++)
        if (state.pair[i].key[0])
            b.length += (size_t)sprintf(b.bytes + b.length, " %s=%s", state.pair[i].key, state.pair[i].value);
    if (b.bytes)
        b.bytes[b.length] = '\0';
    return b;
}

struct buffer kv_history(void)
{
    struct buffer b = {malloc(HISTORY * (COMMAND + 1) + 1), 0};
    for (uint64_t i = history.count > HISTORY ? history.count - HISTORY : 0; i < history.count && b.bytes; i++)
        b.length += (size_t)sprintf(b.bytes + b.length, " %s", history.command[i % HISTORY]);
    if (b.bytes)
        b.bytes[b.length] = '\0';
    return b;
}

/* --- snapshots --- */

static size_t pairs_pack(char *to)
{
    size_t length = 0;
    for (size_t i = 0; i < PAIRS; i++)
        if (state.pair[i].key[0]) {
            memcpy(to + length, &state.pair[i], sizeof state.pair[i]);
            length += sizeof state.pair[i];
        }
    return length;
}

/* The file as wire.h has it. */
struct buffer kv_snapshot(uint64_t index, uint64_t term, const struct configuration *c)
{
    struct file_snapshot head = {.version = WIRE_VERSION, .last_index = index, .last_term = term, .digest = state.digest,
                                 .configuration_index = c->index, .sessions = state.sessions, .pairs = state.pairs};
    char text[SERVERS * (WIRE_ADDRESS + 8)];
    size_t sessions = state.sessions * sizeof(struct file_session), length = configuration_write(c, text, sizeof text);
    struct buffer b = {malloc(sizeof head + length + sessions + sizeof state.pair), 0};
    if (!b.bytes)
        die("snapshot", "no memory");
    memcpy(head.magic, FILE_SNAPSHOT_MAGIC, sizeof head.magic);
    head.configuration_length = (uint32_t)length;
    memcpy(b.bytes + sizeof head, text, length);
    memcpy(b.bytes + sizeof head + length, state.session, sessions);
    b.length = sizeof head + length + sessions;
    b.length += pairs_pack(b.bytes + b.length);
    head.checksum = checksum(checksum(CHECKSUM_START, &head, sizeof head), b.bytes + sizeof head, b.length - sizeof head);
    memcpy(b.bytes, &head, sizeof head);
    return b;
}

static void sessions_restore(const char *bytes, unsigned count)
{
    state.sessions = count;
    memcpy(state.session, bytes, count * sizeof *state.session);
    for (unsigned i = 0; i < count; i++)
        state.session[i].client[sizeof state.session[i].client - 1] = '\0';
    if (!PLANTED(T23d))
        return;
    memcpy(forgotten, state.session, sizeof forgotten);
    forgotten_count = count;
    state.sessions = 0;
}

/* The caller has looked at the checksum. False: it is not of this version. */
bool kv_restore(const char *bytes, size_t length)
{
    struct file_snapshot head;
    memcpy(&head, bytes, sizeof head);
    size_t at = sizeof head + head.configuration_length;
    if (head.sessions > SESSIONS || head.pairs >= PAIRS ||
        at + head.sessions * sizeof(struct file_session) + head.pairs * sizeof(struct file_pair) != length)
        return false;
    memset(&state, 0, sizeof state);
    sessions_restore(bytes + at, head.sessions);
    at += head.sessions * sizeof(struct file_session);
    for (unsigned i = 0; i < head.pairs; i++, at += sizeof(struct file_pair)) {
        struct file_pair pair;
        memcpy(&pair, bytes + at, sizeof pair);
        pair.key[KEY - 1] = pair.value[VALUE - 1] = '\0';
        *pair_find(pair.key) = pair;
        state.pairs++;
    }
    state.digest = head.digest;
    return true;
}
