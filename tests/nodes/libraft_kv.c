/* A key-value server on libraft 0.15 (raft_uv, raft_uv_tcp): what a small program on that library looks like.
 *
 * Clients speak lines over TCP. Each begins with a tag that its answer repeats, because an answer that waits for the
 * cluster may be overtaken by one that does not:
 *   TAG PUT KEY VALUE   -> TAG OK INDEX, or TAG ERR REASON leader=ID
 *   TAG GET KEY         -> TAG VALUE ..., or TAG NONE
 *   TAG STAT            -> TAG STAT id= role= term= leader= last= commit= applied= digest=
 *   TAG LOG             -> TAG LOG entry entry ...: the latest commands this node applied, oldest first
 *   TAG DUMP            -> TAG DUMP key=value ...
 *   TAG TIMES ELECTION HEARTBEAT -> TAG OK 0: both timeouts, in milliseconds, from now on */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <raft.h>
#include <raft/uv.h>

#include "drd/drd.h"

enum { KEY = 24, VALUE = 40, PAIRS = 1024, HISTORY = 64, COMMAND = KEY + VALUE, LINE = 256, MEMBERS = 9 };

struct pair {
    char key[KEY];
    char value[VALUE];
};

/* The replicated state machine. `digest` is chained over every command applied, so it stands for the whole history. */
static struct {
    uint64_t digest;
    uint64_t used;
    struct pair pair[PAIRS];
} state;

static struct {
    char entry[HISTORY][COMMAND];
    uint64_t count;
} history;

static struct {
    unsigned id, client_port, election, heartbeat, install, segment, snapshot, trailing;
    bool pre_vote, marks;
    const char *dir;
    const char *member[MEMBERS];
    unsigned members;
} option = {.election = 500, .heartbeat = 50, .install = 1000, .snapshot = 1024, .trailing = 128, .marks = true};

static struct raft raft;
static struct raft_io io;
static struct raft_fsm fsm;
static struct raft_uv_transport transport;
static uv_loop_t loop;
static uv_tcp_t listener;
static uv_signal_t terminate, interrupt;

/* --- the state machine --- */

static struct pair *pair_find(const char *key)
{
    size_t slot = drd_digest(key, strlen(key)) % PAIRS;
    while (state.pair[slot].key[0] && strcmp(state.pair[slot].key, key) != 0)
        slot = (slot + 1) % PAIRS;
    return &state.pair[slot];
}

/* The library does not tell an apply its term; the entry is still in the log, a ring from `front`. */
static raft_term term_at(raft_index index)
{
    const struct raft_log *log = &raft.log;
    return log->entries[(log->front + (index - 1 - log->offset)) % log->size].term;
}

static void command_apply(const char *command)
{
    char key[KEY] = "", value[VALUE] = "";
    sscanf(command, "%23[^=]=%39s", key, value);
    struct pair *pair = pair_find(key);
    if (!pair->key[0] && state.used + 1 < PAIRS) { /* one slot stays free, so that every search ends */
        strcpy(pair->key, key);
        state.used++;
    }
    if (pair->key[0])
        strcpy(pair->value, value);
}

static int fsm_apply(struct raft_fsm *f, const struct raft_buffer *buffer, void **result)
{
    (void)f;
    char command[COMMAND] = "";
    if (buffer->len > sizeof command)
        return RAFT_MALFORMED;
    memcpy(command, buffer->base, buffer->len);
    command[sizeof command - 1] = '\0';
    command_apply(command);
    uint64_t link[2] = {state.digest, drd_digest(command, strlen(command))};
    state.digest = drd_digest(link, sizeof link);
    strcpy(history.entry[history.count++ % HISTORY], command);
    raft_index index = raft_last_applied(&raft) + 1;
    if (option.marks)
        drd_apply(index, term_at(index), state.digest);
    *result = NULL;
    return 0;
}

static int fsm_snapshot(struct raft_fsm *f, struct raft_buffer *buffers[], unsigned *count)
{
    (void)f;
    struct raft_buffer *buffer = raft_malloc(sizeof *buffer);
    if (!buffer)
        return RAFT_NOMEM;
    buffer->len = sizeof state;
    buffer->base = raft_malloc(buffer->len);
    if (!buffer->base) {
        raft_free(buffer);
        return RAFT_NOMEM;
    }
    memcpy(buffer->base, &state, sizeof state);
    *buffers = buffer;
    *count = 1;
    return 0;
}

static int fsm_restore(struct raft_fsm *f, struct raft_buffer *buffer)
{
    (void)f;
    if (buffer->len != sizeof state)
        return RAFT_MALFORMED;
    memcpy(&state, buffer->base, sizeof state);
    raft_free(buffer->base);
    return 0;
}

/* --- clients --- */

struct client {
    uv_tcp_t handle;
    char line[LINE];
    size_t used;
    unsigned waiting; /* commands in the cluster whose answer belongs here */
    bool closed;
};

struct answer {
    uv_write_t write;
    char text[];
};

struct put {
    struct raft_apply apply;
    struct client *client;
    char tag[24];
};

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

/* Sends "TAG TEXT". */
static void client_answer(struct client *client, const char *tag, const char *text)
{
    if (uv_is_closing((uv_handle_t *)&client->handle))
        return;
    size_t length = strlen(tag) + strlen(text) + 2;
    struct answer *answer = malloc(sizeof *answer + length + 1);
    if (!answer)
        return client_close(client);
    snprintf(answer->text, length + 1, "%s %s\n", tag, text);
    uv_buf_t buffer = uv_buf_init(answer->text, (unsigned)length);
    if (uv_write(&answer->write, (uv_stream_t *)&client->handle, &buffer, 1, on_answered) != 0)
        free(answer);
}

static void client_refuse(struct client *client, const char *tag, int status)
{
    char text[128];
    raft_id leader;
    const char *address;
    raft_leader(&raft, &leader, &address);
    snprintf(text, sizeof text, "ERR %s leader=%llu", raft_strerror(status), leader);
    client_answer(client, tag, text);
}

static void on_put(struct raft_apply *apply, int status, void *result)
{
    (void)result;
    struct put *put = (struct put *)apply;
    char text[32];
    snprintf(text, sizeof text, "OK %llu", put->apply.index);
    if (status)
        client_refuse(put->client, put->tag, status);
    else
        client_answer(put->client, put->tag, text);
    put->client->waiting--;
    client_release(put->client);
    free(put);
}

static int put_submit(struct put *put, const char *key, const char *value)
{
    char command[COMMAND] = "";
    snprintf(command, sizeof command, "%s=%s", key, value);
    /* The library's disk format wants every entry to be a multiple of eight bytes long. */
    struct raft_buffer buffer = {.len = (strlen(command) + 7) / 8 * 8};
    buffer.base = raft_malloc(buffer.len);
    if (!buffer.base)
        return RAFT_NOMEM;
    memcpy(buffer.base, command, buffer.len);
    int status = raft_apply(&raft, &put->apply, &buffer, 1, on_put);
    if (status)
        raft_free(buffer.base);
    return status;
}

static void client_put(struct client *client, const char *tag, const char *key, const char *value)
{
    struct put *put = calloc(1, sizeof *put);
    if (!put)
        return client_refuse(client, tag, RAFT_NOMEM);
    put->client = client;
    strcpy(put->tag, tag);
    client->waiting++;
    int status = put_submit(put, key, value);
    if (!status)
        return;
    client->waiting--;
    free(put);
    client_refuse(client, tag, status);
}

static void client_get(struct client *client, const char *tag, const char *key)
{
    char text[VALUE + 8] = "NONE";
    const struct pair *pair = pair_find(key);
    if (pair->key[0])
        snprintf(text, sizeof text, "VALUE %s", pair->value);
    client_answer(client, tag, text);
}

static void client_stat(struct client *client, const char *tag)
{
    static const char *const role[] = {"unavailable", "follower", "candidate", "leader"};
    char text[LINE];
    raft_id leader;
    const char *address;
    raft_leader(&raft, &leader, &address);
    snprintf(text, sizeof text,
             "STAT id=%u role=%s term=%llu leader=%llu last=%llu commit=%llu applied=%llu digest=%016" PRIx64, option.id,
             role[raft_state(&raft)], raft.current_term, leader, raft_last_index(&raft), raft.commit_index,
             raft_last_applied(&raft), state.digest);
    client_answer(client, tag, text);
}

static void client_log(struct client *client, const char *tag)
{
    char text[HISTORY * (COMMAND + 1) + 8] = "LOG", *end = text + 3;
    for (uint64_t i = history.count > HISTORY ? history.count - HISTORY : 0; i < history.count; i++)
        end += sprintf(end, " %s", history.entry[i % HISTORY]);
    client_answer(client, tag, text);
}

static void client_dump(struct client *client, const char *tag)
{
    char *text = malloc(PAIRS * (COMMAND + 2) + 8), *end = text;
    if (!text)
        return client_refuse(client, tag, RAFT_NOMEM);
    end += sprintf(end, "DUMP");
    for (size_t i = 0; i < PAIRS; i++)
        if (state.pair[i].key[0])
            end += sprintf(end, " %s=%s", state.pair[i].key, state.pair[i].value);
    client_answer(client, tag, text);
    free(text);
}

static void client_times(struct client *client, const char *tag, const char *election, const char *heartbeat)
{
    raft_set_election_timeout(&raft, (unsigned)atoi(election));
    raft_set_heartbeat_timeout(&raft, (unsigned)atoi(heartbeat));
    client_answer(client, tag, "OK 0");
}

static void client_line(struct client *client, const char *line)
{
    char tag[24] = "-", verb[8] = "", first[KEY] = "", second[VALUE] = "";
    int words = sscanf(line, "%23s %7s %23s %39s", tag, verb, first, second);
    if (words == 4 && !strcmp(verb, "PUT"))
        client_put(client, tag, first, second);
    else if (words == 4 && !strcmp(verb, "TIMES"))
        client_times(client, tag, first, second);
    else if (words == 3 && !strcmp(verb, "GET"))
        client_get(client, tag, first);
    else if (words == 2 && !strcmp(verb, "STAT"))
        client_stat(client, tag);
    else if (words == 2 && !strcmp(verb, "LOG"))
        client_log(client, tag);
    else if (words == 2 && !strcmp(verb, "DUMP"))
        client_dump(client, tag);
    else
        client_answer(client, tag, "ERR not understood leader=0");
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    static char bytes[65536];
    (void)handle;
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
    uv_tcp_init(&loop, &client->handle);
    client->handle.data = client;
    if (uv_accept(stream, (uv_stream_t *)&client->handle) != 0)
        return client_close(client);
    uv_tcp_nodelay(&client->handle, 1);
    uv_read_start((uv_stream_t *)&client->handle, on_room, on_bytes);
}

/* --- start and stop --- */

static void close_rest(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (uv_is_closing(handle))
        return;
    bool is_client = handle->type == UV_TCP && handle != (uv_handle_t *)&listener;
    uv_close(handle, is_client ? on_client_closed : NULL);
}

/* Only now has the library given up its own handles; the loop ends when the rest are closed as well. */
static void on_raft_closed(struct raft *r)
{
    (void)r;
    raft_uv_close(&io);
    raft_uv_tcp_close(&transport);
    uv_walk(&loop, close_rest, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    if (uv_is_closing((uv_handle_t *)&listener))
        return;
    printf("node %u stops: term %llu, applied %llu, digest %016" PRIx64 "\n", option.id, raft.current_term,
           raft_last_applied(&raft), state.digest);
    uv_close((uv_handle_t *)&listener, NULL);
    raft_close(&raft, on_raft_closed);
}

static void must(int status, const char *what, const char *why)
{
    if (!status)
        return;
    fprintf(stderr, "libraft_kv: node %u: %s: %s\n", option.id, what, why);
    exit(1);
}

static void bootstrap(void)
{
    struct raft_configuration configuration;
    raft_configuration_init(&configuration);
    for (unsigned i = 0; i < option.members; i++)
        must(raft_configuration_add(&configuration, i + 1, option.member[i], RAFT_VOTER), "members", "cannot add");
    int status = raft_bootstrap(&raft, &configuration);
    if (status != RAFT_CANTBOOTSTRAP) /* that is what a node which has a log already answers */
        must(status, "bootstrap", raft_errmsg(&raft));
    raft_configuration_close(&configuration);
}

static void start_raft(void)
{
    must(raft_uv_tcp_init(&transport, &loop), "transport", "no memory");
    must(raft_uv_init(&io, &loop, option.dir, &transport), option.dir, "cannot use it");
    raft_uv_set_connect_retry_delay(&io, 50);
    if (option.segment) /* of 8 MB otherwise, which every start reads in full */
        raft_uv_set_segment_size(&io, option.segment);
    fsm = (struct raft_fsm){.version = 1, .apply = fsm_apply, .snapshot = fsm_snapshot, .restore = fsm_restore};
    must(raft_init(&raft, &io, &fsm, option.id, option.member[option.id - 1]), "init", raft_errmsg(&raft));
    raft_set_election_timeout(&raft, option.election);
    raft_set_heartbeat_timeout(&raft, option.heartbeat);
    /* A follower that takes or installs a snapshot drops an InstallSnapshot without an answer (RAFT_BUSY). The leader then
     * sends it nothing but heartbeats until this is over: 30 s if left as it is. */
    raft_set_install_snapshot_timeout(&raft, option.install);
    raft_set_snapshot_threshold(&raft, option.snapshot);
    raft_set_snapshot_trailing(&raft, option.trailing);
    raft_set_pre_vote(&raft, option.pre_vote);
    bootstrap();
    must(raft_start(&raft), "start", raft_errmsg(&raft));
}

static void start_clients(void)
{
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", (int)option.client_port, &address);
    uv_tcp_init(&loop, &listener);
    int status = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (!status)
        status = uv_listen((uv_stream_t *)&listener, 64, on_connection);
    must(status, "client port", status ? uv_strerror(status) : "");
}

static void split_members(char *list)
{
    for (char *word = strtok(list, ","); word && option.members < MEMBERS; word = strtok(NULL, ","))
        option.member[option.members++] = word;
}

static const struct option long_option[] = {
    {"id", required_argument, NULL, 'i'},       {"dir", required_argument, NULL, 'd'},
    {"members", required_argument, NULL, 'm'},  {"client-port", required_argument, NULL, 'c'},
    {"election", required_argument, NULL, 'e'}, {"heartbeat", required_argument, NULL, 'b'},
    {"snapshot", required_argument, NULL, 's'}, {"trailing", required_argument, NULL, 't'},
    {"pre-vote", no_argument, NULL, 'p'},       {"no-marks", no_argument, NULL, 'n'},
    {"install", required_argument, NULL, 'I'},  {"segment", required_argument, NULL, 'g'},
    {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, "", long_option, NULL)) != -1) {
        switch (letter) {
        case 'i': option.id = (unsigned)atoi(optarg); break;
        case 'd': option.dir = optarg; break;
        case 'm': split_members(optarg); break;
        case 'c': option.client_port = (unsigned)atoi(optarg); break;
        case 'e': option.election = (unsigned)atoi(optarg); break;
        case 'b': option.heartbeat = (unsigned)atoi(optarg); break;
        case 'g': option.segment = (unsigned)atoi(optarg); break;
        case 'I': option.install = (unsigned)atoi(optarg); break;
        case 's': option.snapshot = (unsigned)atoi(optarg); break;
        case 't': option.trailing = (unsigned)atoi(optarg); break;
        case 'p': option.pre_vote = true; break;
        case 'n': option.marks = false; break;
        default: return false;
        }
    }
    return optind == argc && option.dir && option.client_port && option.id >= 1 && option.id <= option.members;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: libraft_kv --id N --dir DIR --members HOST:PORT,... --client-port PORT [--election MS] "
                        "[--heartbeat MS] [--install MS] [--segment BYTES] [--snapshot N] [--trailing N] [--pre-vote] [--no-marks]\n");
        return 129;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (option.marks)
        drd_mark(DRD_MARK_NODE, option.id, 0, 0, NULL, 0);
    mkdir(option.dir, 0755);
    uv_loop_init(&loop);
    start_raft();
    start_clients();
    uv_signal_init(&loop, &terminate);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    uv_signal_init(&loop, &interrupt);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    uv_run(&loop, UV_RUN_DEFAULT);
    must(uv_loop_close(&loop), "stop", "handles left open");
    return 0;
}
