/* The client of an ovsdb-server cluster, over its unix sockets (RFC 7047).
 *
 *   ovsdb_client load SOCKETS [--commands N | --rate R --seconds S] [--window W]   one inserted row a command
 *   ovsdb_client leader SOCKETS    the socket of the leader
 *   ovsdb_client probe SOCKETS [--seconds S]   a row now and then, at any server, answered or not; then until all are equal
 *   ovsdb_client equal SOCKETS     until all are connected and have applied the same index
 *   ovsdb_client await SOCKET INDEX   until the server has applied that index
 * SOCKETS are separated by commas; --within MS bounds every wait. Schema: table kv with columns k (string), v (integer). */
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "load.h"

enum { NODES = 9, TEXT = 8192, PAUSE_MS = 20, PROBE_PAUSE_MS = 250, SILENCE_MS = 1000 };

static struct {
    const char *socket[NODES];
    int nodes;
    long pause_ms; /* between two looks */
    int latest; /* the server connected to last: a load that lost it goes on with the next */
} cluster = {.pause_ms = PAUSE_MS};

static struct load load = {.total = 1000, .window = 1, .within_ms = 60000};

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* JSON-RPC here has no length prefix: an object ends with the brace that closes it. */
static size_t object_length(const char *bytes, size_t length)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (quoted && bytes[i] == '\\')
            i++;
        else if (bytes[i] == '"')
            quoted = !quoted;
        else if (!quoted && bytes[i] == '{')
            depth++;
        else if (!quoted && bytes[i] == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static bool ask(const char *path, const char *request, char *answer)
{
    size_t used = 0;
    bool whole = false;
    int fd = dial(path);
    if (fd < 0)
        return false;
    if (send_all(fd, request, strlen(request))) {
        while (!whole && poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, SILENCE_MS) > 0) {
            ssize_t count = read(fd, answer + used, TEXT - 1 - used);
            if (count <= 0)
                break;
            used += (size_t)count;
            whole = object_length(answer, used);
        }
    }
    answer[used] = '\0';
    close(fd);
    return whole;
}

/* --- the server about itself: its row in the _Server database --- */

struct state {
    bool connected, leader;
    long index;
};

static bool state_read(const char *path, struct state *state)
{
    static const char request[] =
        "{\"id\":0,\"method\":\"transact\",\"params\":[\"_Server\",{\"op\":\"select\",\"table\":\"Database\",\"where\":"
        "[[\"name\",\"==\",\"DRD\"]],\"columns\":[\"connected\",\"leader\",\"index\"]}]}";
    char answer[TEXT];
    if (!ask(path, request, answer))
        return false;
    const char *index = strstr(answer, "\"index\":");
    if (!index)
        return false;
    state->connected = strstr(answer, "\"connected\":true");
    state->leader = strstr(answer, "\"leader\":true");
    state->index = strtol(index + strlen("\"index\":"), NULL, 10); /* 0 for the empty set before the first entry */
    return true;
}

static bool leader_shown(long unused)
{
    (void)unused;
    for (int i = 0; i < cluster.nodes; i++) {
        struct state state;
        if (!state_read(cluster.socket[i], &state) || !state.leader || !state.connected)
            continue;
        puts(cluster.socket[i]);
        return true;
    }
    return false;
}

static bool all_equal(long unused)
{
    (void)unused;
    struct state first = {0}, state;
    for (int i = 0; i < cluster.nodes; i++) {
        if (!state_read(cluster.socket[i], &state) || !state.connected)
            return false;
        if (i == 0)
            first = state;
        if (state.index != first.index)
            return false;
    }
    return true;
}

static bool has_applied(long index)
{
    struct state state;
    return state_read(cluster.socket[0], &state) && state.index >= index;
}

static bool await(bool (*condition)(long), long argument)
{
    uint64_t deadline = now_us() + (uint64_t)load.within_ms * 1000;
    while (!condition(argument)) {
        if (now_us() > deadline)
            return false;
        pause_ms(cluster.pause_ms);
    }
    return true;
}

/* --- load --- */

/* Any server that is connected to the cluster will do: a follower forwards what it is sent. */
static int ovsdb_connect(void)
{
    for (int i = 0; i < cluster.nodes; i++) {
        struct state state;
        int next = (cluster.latest + i) % cluster.nodes;
        if (!state_read(cluster.socket[next], &state) || !state.connected)
            continue;
        cluster.latest = next;
        return dial(cluster.socket[next]);
    }
    return -1;
}

static bool ovsdb_send(int fd, long number)
{
    char request[256];
    int length = snprintf(request, sizeof request,
                          "{\"id\":%ld,\"method\":\"transact\",\"params\":[\"DRD\",{\"op\":\"insert\",\"table\":\"kv\","
                          "\"row\":{\"k\":\"k%ld\",\"v\":%ld}}]}", number, number % 500, number);
    return send_all(fd, request, (size_t)length);
}

static bool ovsdb_take(int fd, struct load *l, char *message)
{
    static const char echo[] = "{\"id\":\"echo\",\"result\":[],\"error\":null}";
    if (strstr(message, "\"method\":\"echo\""))
        return send_all(fd, echo, strlen(echo));
    const char *id = strstr(message, "\"id\":");
    if (!id || !strstr(message, "\"uuid\"")) /* an insert is answered with the row's uuid, a failure is not */
        return false;
    load_answered(l, strtol(id + strlen("\"id\":"), NULL, 10));
    return true;
}

static int cmd_load(void)
{
    static const struct load_protocol protocol = {ovsdb_connect, ovsdb_send, object_length, ovsdb_take};
    if (!load_run(&load, &protocol))
        return 1;
    bool equal = await(all_equal, 0);
    load_print(&load, equal);
    return equal ? 0 : 1;
}

/* --- a little to do, whatever happens to the servers --- */

static int cmd_probe(void)
{
    uint64_t end = now_us() + (uint64_t)load.seconds * 1000000;
    char request[256], answer[TEXT];
    uint16_t drawn = 0;
    for (long number = 1; now_us() < end; number++) {
        if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
            return 1;
        snprintf(request, sizeof request,
                 "{\"id\":%ld,\"method\":\"transact\",\"params\":[\"DRD\",{\"op\":\"insert\",\"table\":\"kv\",\"row\":"
                 "{\"k\":\"k%ld\",\"v\":%ld}}]}", number, number, number);
        ask(cluster.socket[drawn % cluster.nodes], request, answer);
        pause_ms(drawn / 64 % 500);
    }
    cluster.pause_ms = PROBE_PAUSE_MS; /* each look at a server is some hundred events of it */
    if (await(all_equal, 0))
        return 0;
    for (int i = 0; i < cluster.nodes; i++) {
        struct state state = {0};
        bool answers = state_read(cluster.socket[i], &state);
        printf("server %d: %s, %s, index %ld\n", i + 1, answers ? "answers" : "no answer", state.connected ? "connected" : "not connected",
               state.index);
    }
    printf("FAIL: the servers are not equal\n");
    return 1;
}

/* --- options --- */

static const struct option long_option[] = {
    LOAD_OPTIONS,
    {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, "", long_option, NULL)) != -1)
        if (!load_option(&load, letter, optarg))
            return false;
    return load_is_possible(&load);
}

static int run(const char *command, const char *word)
{
    if (!strcmp(command, "load"))
        return cmd_load();
    if (!strcmp(command, "probe"))
        return cmd_probe();
    if (!strcmp(command, "leader"))
        return !await(leader_shown, 0);
    if (!strcmp(command, "equal"))
        return !await(all_equal, 0);
    if (!strcmp(command, "await") && word)
        return !await(has_applied, atol(word));
    return 129;
}

int main(int argc, char **argv)
{
    int status = 129;
    if (argc >= 3 && read_options(argc - 2, argv + 2)) {
        for (char *path = strtok(argv[2], ","); path && cluster.nodes < NODES; path = strtok(NULL, ","))
            cluster.socket[cluster.nodes++] = path;
        status = run(argv[1], argv[2 + optind]);
    }
    if (status == 129)
        fprintf(stderr, "usage: ovsdb_client load|probe|leader|equal|await SOCKETS [options] [INDEX]\n");
    return status;
}
