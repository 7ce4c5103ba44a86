/* Clients speak lines over TCP, on --client-port of 127.0.0.1. Each begins with a tag that its answer repeats, because an
 * answer that waits for the cluster may be overtaken by one that does not. Keys have up to 23 characters, values up to 39,
 * without blanks, '=' and '+'.
 *   TAG PUT KEY VALUE       -> TAG OK INDEX once it is applied, or TAG ERR REASON leader=ID
 *   TAG INCR KEY CLIENT SEQ -> TAG OK INDEX VALUE: adds one, once for each SEQ (growing) of a client, however often it comes
 *   TAG GET KEY             -> TAG VALUE ..., or TAG NONE: linearizable, by the leader alone; TAG ERR ...
 *   TAG STAT                -> TAG STAT id= role= term= leader= last= commit= applied= digest= (role: follower, candidate,
 *                              leader, learner) and behind them vote= snapshot= base= reads= members=, and linkID=1 for each server
 *                              to which a connection stands
 *   TAG LOG                 -> TAG LOG command command ...: the latest this node applied, oldest first
 *   TAG DUMP                -> TAG DUMP key=value ...: this node's state
 *   TAG TIMES ELECTION HEARTBEAT -> TAG OK 0: both timeouts, in milliseconds, from now on; running timers begin anew
 *   TAG ADD ID HOST:PORT    -> TAG OK INDEX: becomes a learner, and a voter once it has caught up (the server: --join)
 *   TAG LEARN ID HOST:PORT  -> TAG OK INDEX: a learner for good
 *   TAG REMOVE ID           -> TAG OK INDEX
 *   TAG TRANSFER ID         -> TAG OK 0: leadership is being handed over (TimeoutNow)
 *   TAG SNAPSHOT            -> TAG OK INDEX: one is taken now
 *   TAG STEP NAME [ID]      -> TAG OK 0, for scenarios. A step does nothing that Raft or its surroundings could not do:
 *     campaign      an election now, without a pre-vote; others take part although they hear a leader (as by TimeoutNow)
 *     prevote       an election now, with a pre-vote
 *     quiet, loud   no elections by timer / again
 *     dry, wet      a leader sends AppendEntries without entries only / again with
 *     beat          a leader sends AppendEntries to all, now
 *     hold ID       what is on connections from server ID stays unread, until `release ID` (0: all servers). Connections it
 *                   opens afterwards are read: messages overtake
 *     reconnect ID  closes the connection to server ID after what was sent on it, and opens another
 *     again ID      the last message to ID, but for heartbeats, once more, if it is of this term. The last of a type:
 *                   again-vote (RequestVote), again-voted, again-append, again-appended, again-snapshot, again-installed,
 *                   again-now
 *     cut ID, heal ID  no connection with server ID / again. `drd fault` does it from outside
 *     full, room    writes of the log fail / succeed again
 *     crash POINT   kill -9 of itself as soon as it comes to: voted (vote on disk, reply not sent), written (entries on
 *                   disk, not acknowledged), acked (acknowledged, commit index not raised), committed (a leader has raised
 *                   the commit index and answered clients, and not told the others), torn (half of the next record is
 *                   written), compacting (between snapshot and log), installing (a snapshot received is on disk, nothing
 *                   else is done), now */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raft.h"

enum { LINE = 256, WORDS = 6, TAG = 24 };

struct client {
    uv_tcp_t handle;
    char line[LINE];
    size_t used;
    unsigned waiting; /* commands whose answer belongs here */
    bool closed;
};

/* A command in the log whose client waits. */
struct waiting {
    struct waiting *next;
    struct client *client;
    char tag[TAG];
    uint64_t index, term;
    uint64_t learner; /* ADD: answered when it has become a voter */
};

struct answer {
    uv_write_t write;
    char text[];
};

bool step_quiet, step_dry;

static uv_tcp_t listener;
static struct waiting *waitings;
static char crash[16];

/* --- answers --- */

static void client_release(struct client *client)
{
    if (client->closed && !client->waiting)
        free(client);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    client->closed = true;
    client_release(client);
}

static void client_close(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->handle))
        uv_close((uv_handle_t *)&client->handle, on_client_closed);
}

static void on_answered(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

/* Sends "TAG TEXT REST". */
static void client_answer_two(struct client *client, const char *tag, const char *text, const char *rest)
{
    if (uv_is_closing((uv_handle_t *)&client->handle))
        return;
    size_t length = strlen(tag) + strlen(text) + strlen(rest) + 2;
    struct answer *answer = malloc(sizeof *answer + length + 1);
    if (!answer)
        return client_close(client);
    snprintf(answer->text, length + 1, "%s %s%s\n", tag, text, rest);
    uv_buf_t buffer = uv_buf_init(answer->text, (unsigned)length);
    if (uv_write(&answer->write, (uv_stream_t *)&client->handle, &buffer, 1, on_answered) != 0)
        free(answer);
}

static void client_answer(struct client *client, const char *tag, const char *text)
{
    client_answer_two(client, tag, text, "");
}

static void client_ok(struct client *client, const char *tag, uint64_t index)
{
    char text[32];
    snprintf(text, sizeof text, "OK %" PRIu64, index);
    client_answer(client, tag, text);
}

static void client_refuse(struct client *client, const char *tag, const char *why)
{
    char text[128];
    snprintf(text, sizeof text, "ERR %s leader=%" PRIu64, why, raft.leader);
    client_answer(client, tag, text);
}

/* --- commands that wait for the log --- */

static struct waiting *waiting_create(struct client *client, const char *tag)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        die("client", "no memory");
    w->client = client;
    snprintf(w->tag, sizeof w->tag, "%s", tag);
    client->waiting++;
    return w;
}

static void waiting_begin(struct waiting *w, uint64_t index)
{
    w->index = index;
    w->term = raft.term;
    w->next = waitings;
    waitings = w;
}

static void waiting_end(struct waiting *w, const char *refusal, struct outcome outcome)
{
    char text[64];
    if (refusal) {
        client_refuse(w->client, w->tag, refusal);
    } else if (outcome.counted) {
        snprintf(text, sizeof text, "OK %" PRIu64 " %" PRIu64, w->index, outcome.value);
        client_answer(w->client, w->tag, text);
    } else {
        client_ok(w->client, w->tag, w->index);
    }
    w->client->waiting--;
    client_release(w->client);
    free(w);
}

/* The entry at `index` is applied: whoever waited for that place gets its answer, good if the entry is still its own. */
void client_applied(uint64_t index, uint64_t term, struct outcome outcome)
{
    for (struct waiting **at = &waitings, *w; (w = *at);) {
        if (w->index != index || w->learner) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        waiting_end(w, w->term == term ? NULL : "another entry took its place", outcome);
    }
}

void clients_not_leading(void)
{
    while (waitings) {
        struct waiting *w = waitings;
        waitings = w->next;
        waiting_end(w, "leadership lost", (struct outcome){false, 0});
    }
}

void clients_promoted(uint64_t learner, uint64_t index)
{
    for (struct waiting *w = index ? waitings : NULL; w; w = w->next)
        if (w->learner == learner) {
            w->learner = 0;
            w->index = index;
        }
}

/* --- mistake T18c: commands collected, and appended later --- */

static struct collected {
    struct collected *next;
    struct waiting *waiting;
    char command[LINE];
} *collection, **collection_end = &collection;

static void collection_append(void)
{
    while (collection) {
        struct collected *c = collection;
        collection = c->next;
        (void)MISTAKE(T18c, raft.role != LEADER);
        waiting_begin(c->waiting, leader_append(WIRE_COMMAND, c->command, strlen(c->command)));
        free(c);
    }
    collection_end = &collection;
    log_sync();
    if (raft.role == LEADER)
        leader_sync();
}

static void command_collect(struct waiting *w, const char *command)
{
    struct collected *c = calloc(1, sizeof *c);
    if (!c)
        die("client", "no memory");
    c->waiting = w;
    snprintf(c->command, sizeof c->command, "%s", command);
    *collection_end = c;
    collection_end = &c->next;
    later(collection_append);
}

/* --- verbs --- */

static bool is_plain(const char *word, size_t room)
{
    return strlen(word) < room && !strpbrk(word, "=+#");
}

static void command_submit(struct client *client, const char *tag, const char *command)
{
    if (raft.role != LEADER || raft.transfer)
        return client_refuse(client, tag, "not leader");
    struct waiting *w = waiting_create(client, tag);
    if (PLANTED(T18c))
        return command_collect(w, command);
    waiting_begin(w, leader_append(WIRE_COMMAND, command, strlen(command)));
}

static void client_put(struct client *client, char **word)
{
    char command[LINE];
    if (!is_plain(word[2], 24) || strlen(word[3]) > 39)
        return client_refuse(client, word[0], "not understood");
    snprintf(command, sizeof command, "%s=%s", word[2], word[3]);
    command_submit(client, word[0], command);
}

static void client_incr(struct client *client, char **word)
{
    char command[LINE];
    if (!is_plain(word[2], 24) || !is_plain(word[3], 24) || strspn(word[4], "0123456789") != strlen(word[4]))
        return client_refuse(client, word[0], "not understood");
    snprintf(command, sizeof command, "%s++%s#%s", word[2], word[3], word[4]);
    command_submit(client, word[0], command);
}

static void client_get(struct client *client, char **word)
{
    if (raft.role != LEADER)
        return client_refuse(client, word[0], "not leader");
    client->waiting++;
    read_begin(client, word[0], word[2]);
}

void read_answer(struct client *client, const char *tag, const char *key)
{
    const char *value = kv_get(key);
    client_answer_two(client, tag, value ? "VALUE " : "NONE", value ? value : "");
    client->waiting--;
    client_release(client);
}

void read_refuse(struct client *client, const char *tag)
{
    client_refuse(client, tag, "leadership lost");
    client->waiting--;
    client_release(client);
}

static void client_stat(struct client *client, char **word)
{
    static const char *const role[] = {"follower", "candidate", "leader"};
    char text[LINE * 2], members[SERVERS * 2 + 1] = "", links[SERVERS * 9 + 1] = "";
    for (unsigned id = 1, n = 0; id < SERVERS; id++)
        if (raft.configuration.member[id].standing != OUTSIDER)
            n += (unsigned)sprintf(members + n, "%x%s", id, raft.configuration.member[id].standing == LEARNER ? "*" : "");
    for (unsigned id = 1, n = 0; id < SERVERS; id++)
        if (network_linked(id))
            n += (unsigned)sprintf(links + n, " link%u=1", id);
    bool learner = raft.role == FOLLOWER && raft.configuration.member[raft.id].standing == LEARNER;
    snprintf(text, sizeof text,
             "STAT id=%" PRIu64 " role=%s term=%" PRIu64 " leader=%" PRIu64 " last=%" PRIu64 " commit=%" PRIu64
             " applied=%" PRIu64 " digest=%016" PRIx64 " vote=%" PRIu64 " snapshot=%" PRIu64 " base=%" PRIu64
             " reads=%u members=%s%s",
             raft.id, learner ? "learner" : role[raft.role], raft.term, raft.leader, raft_log.last, raft.commit,
             raft.applied, kv_digest(), raft.voted_for, raft.snapshot_index, raft_log.base_index, reads_waiting(), members,
             links);
    client_answer(client, word[0], text);
}

static void client_list(struct client *client, char **word)
{
    struct buffer b = !strcmp(word[1], "LOG") ? kv_history() : kv_list();
    client_answer_two(client, word[0], word[1], b.bytes ? b.bytes : "");
    free(b.bytes);
}

static void client_times(struct client *client, char **word)
{
    int election = atoi(word[2]), heartbeat = atoi(word[3]);
    if (election <= 0 || heartbeat <= 0)
        return client_refuse(client, word[0], "not understood");
    option.election = (unsigned)election;
    option.heartbeat = (unsigned)heartbeat;
    heartbeat_timer_set();
    if (raft.role != LEADER)
        election_timer_reset();
    client_ok(client, word[0], 0);
}

static void client_member(struct client *client, char **word)
{
    enum standing standing = !strcmp(word[1], "ADD") ? VOTER : !strcmp(word[1], "LEARN") ? LEARNER : OUTSIDER;
    uint64_t index, id = strtoull(word[2], NULL, 10);
    const char *why = membership_change(id, word[3] ? word[3] : "", standing, &index);
    if (why)
        return client_refuse(client, word[0], why);
    struct waiting *w = waiting_create(client, word[0]);
    waiting_begin(w, index);
    w->learner = standing == VOTER ? id : 0;
}

static void client_transfer(struct client *client, char **word)
{
    if (transfer_begin(strtoull(word[2], NULL, 10)))
        client_ok(client, word[0], 0);
    else
        client_refuse(client, word[0], "cannot");
}

static void client_snapshot(struct client *client, char **word)
{
    if (raft.applied > raft.snapshot_index)
        snapshot_take();
    client_ok(client, word[0], raft.snapshot_index);
}

/* --- steps --- */

bool crash_wanted(const char *name)
{
    return !strcmp(crash, name);
}

void crash_point(const char *name)
{
    if (crash_wanted(name))
        kill(getpid(), SIGKILL);
}

static bool step_plain(const char *name)
{
    if (!strcmp(name, "campaign") || !strcmp(name, "prevote"))
        campaign(name[0] == 'p', name[0] == 'c');
    else if (!strcmp(name, "quiet") || !strcmp(name, "loud"))
        step_quiet = name[0] == 'q';
    else if (!strcmp(name, "dry") || !strcmp(name, "wet"))
        step_dry = name[0] == 'd';
    else if (!strcmp(name, "full") || !strcmp(name, "room"))
        log_fill(name[0] == 'f');
    else if (!strcmp(name, "beat"))
        raft.broadcast = true;
    else
        return false;
    return true;
}

static void client_step(struct client *client, char **word)
{
    const char *answer = "OK 0";
    if (!strcmp(word[2], "crash") && word[3]) {
        snprintf(crash, sizeof crash, "%s", word[3]);
        crash_point("now");
    } else if (!step_plain(word[2])) {
        answer = network_step(word[2], word[3] ? strtoull(word[3], NULL, 10) : SERVERS);
    }
    client_answer(client, word[0], answer ? answer : "ERR no such step leader=0");
}

static const struct {
    const char *verb;
    int least, most; /* words of the line, its tag and verb included */
    void (*act)(struct client *client, char **word);
} verb_table[] = {
    {"PUT", 4, 4, client_put},        {"INCR", 5, 5, client_incr},         {"GET", 3, 3, client_get},
    {"STAT", 2, 2, client_stat},      {"LOG", 2, 2, client_list},          {"DUMP", 2, 2, client_list},
    {"TIMES", 4, 4, client_times},    {"ADD", 4, 4, client_member},        {"LEARN", 4, 4, client_member},
    {"REMOVE", 3, 3, client_member},  {"TRANSFER", 3, 3, client_transfer}, {"SNAPSHOT", 2, 2, client_snapshot},
    {"STEP", 3, 4, client_step},
};

static void client_line(struct client *client, char *line)
{
    char *word[WORDS + 1] = {NULL}, *rest;
    int words = 0;
    for (char *w = strtok_r(line, " \r", &rest); w && words < WORDS; w = strtok_r(NULL, " \r", &rest))
        word[words++] = w;
    if (words && strlen(word[0]) >= TAG)
        word[0][TAG - 1] = '\0';
    for (size_t i = 0; i < sizeof verb_table / sizeof *verb_table && words >= 2; i++)
        if (!strcmp(word[1], verb_table[i].verb) && words >= verb_table[i].least && words <= verb_table[i].most)
            return verb_table[i].act(client, word);
    client_answer(client, words ? word[0] : "-", "ERR not understood leader=0");
}

/* --- connections --- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[65536];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    if (count < 0)
        return client_close(client);
    for (ssize_t i = 0; i < count; i++) {
        if (buffer->base[i] != '\n' && client->used < LINE - 1) {
            client->line[client->used++] = buffer->base[i];
            continue;
        }
        client->line[client->used] = '\0';
        client->used = 0;
        client_line(client, client->line);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct client *client = status ? NULL : calloc(1, sizeof *client);
    if (!client)
        return;
    uv_tcp_init(&raft.loop, &client->handle);
    client->handle.data = client;
    if (uv_accept(stream, (uv_stream_t *)&client->handle) != 0)
        return client_close(client);
    uv_tcp_nodelay(&client->handle, 1);
    uv_read_start((uv_stream_t *)&client->handle, on_room, on_bytes);
}

void clients_start(void)
{
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", (int)option.client_port, &address);
    uv_tcp_init(&raft.loop, &listener);
    int status = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (!status)
        status = uv_listen((uv_stream_t *)&listener, 64, on_connection);
    if (status)
        die("client port", uv_strerror(status));
}

static void close_client(uv_handle_t *handle, void *argument)
{
    (void)argument;
    bool of_client = handle->type == UV_TCP && handle->data && handle != (uv_handle_t *)&listener;
    if (of_client && !uv_is_closing(handle))
        uv_close(handle, on_client_closed);
}

/* Called last: what is still open are the clients. */
void clients_stop(void)
{
    uv_close((uv_handle_t *)&listener, NULL);
    clients_not_leading();
    reads_fail();
    uv_walk(&raft.loop, close_client, NULL);
}
