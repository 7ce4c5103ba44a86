/* The client of libraft_kv: load, single commands, and waiting, so that scripts need no polling of their own.
 *
 *   kv_client load PORTS [--commands N | --rate R --seconds S] [--window W]
 *   kv_client send PORT [--within MS] VERB [WORD...]   one request, its answer on stdout; 1 if refused or unanswered
 *   kv_client leader PORTS [--within MS] [--not PORT]  the client port of the leader that a majority follows
 *   kv_client equal PORTS [--within MS]                until every node has the same applied index and digest
 *   kv_client await PORT [--within MS] NAME=VALUE...   until STAT shows all of them (NAME+VALUE: at least)
 *   kv_client ahead PORT,OTHER [--within MS]           until its term is higher than the other's is now
 *   kv_client log PORT                                 the commands the node applied
 * PORTS are client ports, separated by commas. */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { NODES = 9, TEXT = 8192, PAUSE_MS = 20, SILENCE_MS = 1000 };

static struct {
    int port[NODES];
    int nodes;
    int other_than;
} option;

static struct load load = {.total = 1000, .window = 1, .within_ms = 60000};

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

/* One line into `text`, without its newline. */
static bool receive_line(int fd, char *text, size_t room, long within_ms)
{
    uint64_t deadline = now_us() + (uint64_t)within_ms * 1000;
    size_t used = 0;
    for (uint64_t now; used < room && (now = now_us()) < deadline;) {
        if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, (int)((deadline - now) / 1000) + 1) <= 0)
            continue;
        ssize_t count = read(fd, text + used, room - used);
        if (count <= 0)
            return false;
        used += (size_t)count;
        if (text[used - 1] == '\n') {
            text[used - 1] = '\0';
            return true;
        }
    }
    return false;
}

/* The answer without its tag. */
static bool ask(int port, const char *request, char *answer, size_t room, long within_ms)
{
    char line[TEXT];
    int fd = dial(port);
    if (fd < 0)
        return false;
    int length = snprintf(line, sizeof line, "1 %s\n", request);
    bool done = send_all(fd, line, (size_t)length) && receive_line(fd, line, sizeof line, within_ms);
    close(fd);
    if (done)
        snprintf(answer, room, "%s", line + strcspn(line, " ") + 1);
    return done;
}

/* --- STAT --- */

struct stat {
    char role[16];
    unsigned long long id, term, leader, last, commit, applied, digest;
};

static bool stat_read(int port, struct stat *stat)
{
    char text[512];
    return ask(port, "STAT", text, sizeof text, SILENCE_MS) &&
           sscanf(text, "STAT id=%llu role=%15s term=%llu leader=%llu last=%llu commit=%llu applied=%llu digest=%llx",
                  &stat->id, stat->role, &stat->term, &stat->leader, &stat->last, &stat->commit, &stat->applied,
                  &stat->digest) == 8;
}

/* The leader of the highest term, once a majority follows it: a leader that was cut off believes in itself for a while. */
static int leader_find(void)
{
    struct stat stat[NODES], *best = NULL;
    int followers = 0, port = 0;
    for (int i = 0; i < option.nodes; i++) {
        if (!stat_read(option.port[i], &stat[i]))
            stat[i] = (struct stat){0};
        if (!strcmp(stat[i].role, "leader") && (!best || stat[i].term > best->term)) {
            best = &stat[i];
            port = option.port[i];
        }
    }
    for (int i = 0; best && i < option.nodes; i++)
        followers += stat[i].term == best->term && stat[i].leader == best->id;
    return followers * 2 > option.nodes && port != option.other_than ? port : 0;
}

static int leader_await(void)
{
    uint64_t deadline = now_us() + (uint64_t)load.within_ms * 1000;
    do {
        int port = leader_find();
        if (port)
            return port;
        pause_ms(PAUSE_MS);
    } while (now_us() < deadline);
    fprintf(stderr, "kv_client: no leader within %ld ms\n", load.within_ms);
    return 0;
}

static bool all_equal(struct stat stat[])
{
    for (int i = 0; i < option.nodes; i++) {
        if (!stat_read(option.port[i], &stat[i]))
            return false;
        if (stat[i].applied != stat[0].applied || stat[i].digest != stat[0].digest)
            return false;
    }
    return true;
}

static bool equal_await(struct stat stat[])
{
    uint64_t deadline = now_us() + (uint64_t)load.within_ms * 1000;
    do {
        if (all_equal(stat))
            return true;
        pause_ms(PAUSE_MS);
    } while (now_us() < deadline);
    return false;
}

/* --- load --- */

static int kv_connect(void)
{
    int port = leader_find();
    return port ? dial(port) : -1;
}

static bool kv_send(int fd, long number)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%ld PUT k%ld v%ld\n", number, number % 500, number);
    return send_all(fd, line, (size_t)length);
}

static size_t kv_frame(const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    return end ? (size_t)(end - bytes) + 1 : 0;
}

static bool kv_take(int fd, struct load *l, char *message)
{
    (void)fd;
    char *rest;
    long number = strtol(message, &rest, 10);
    if (strncmp(rest, " OK", 3) != 0)
        return false;
    load_answered(l, number);
    return true;
}

static int cmd_load(void)
{
    static const struct load_protocol protocol = {kv_connect, kv_send, kv_frame, kv_take};
    struct stat stat[NODES];
    if (!load_run(&load, &protocol))
        return 1;
    bool equal = equal_await(stat);
    load_print(&load, equal);
    return equal ? 0 : 1;
}

/* --- single requests --- */

static int cmd_send(int words, char **word)
{
    char request[512] = "", answer[TEXT];
    for (int i = 0; i < words; i++)
        snprintf(request + strlen(request), sizeof request - strlen(request), "%s%s", i ? " " : "", word[i]);
    if (!ask(option.port[0], request, answer, sizeof answer, load.within_ms)) {
        fprintf(stderr, "kv_client: no answer from port %d\n", option.port[0]);
        return 1;
    }
    puts(answer);
    return !strncmp(answer, "ERR", 3);
}

static int cmd_log(void)
{
    char answer[TEXT];
    if (!ask(option.port[0], "LOG", answer, sizeof answer, load.within_ms))
        return 1;
    puts(answer[3] ? answer + 4 : "");
    return 0;
}

static int cmd_leader(void)
{
    int port = leader_await();
    if (port)
        printf("%d\n", port);
    return port ? 0 : 1;
}

static int cmd_equal(void)
{
    struct stat stat[NODES];
    bool equal = equal_await(stat);
    for (int i = 0; i < option.nodes; i++)
        if (stat_read(option.port[i], &stat[i]))
            printf("node %llu: applied %llu digest %016llx\n", stat[i].id, stat[i].applied, stat[i].digest);
    return equal ? 0 : 1;
}

/* "name=value" stands in the answer, or "name+value" and the answer's number is at least that. */
static bool holds(const char *answer, const char *wish)
{
    char name[32];
    size_t length = strcspn(wish, "=+");
    snprintf(name, sizeof name, " %.*s=", (int)length, wish);
    const char *found = strstr(answer, name);
    if (!found)
        return false;
    found += length + 2;
    if (wish[length] == '+')
        return strtoull(found, NULL, 10) >= strtoull(wish + length + 1, NULL, 10);
    size_t size = strlen(wish + length + 1);
    return !strncmp(found, wish + length + 1, size) && (found[size] == ' ' || !found[size]);
}

static int cmd_await(int wishes, char **wish)
{
    char answer[512] = "no answer";
    uint64_t deadline = now_us() + (uint64_t)load.within_ms * 1000;
    do {
        int held = 0;
        if (ask(option.port[0], "STAT", answer, sizeof answer, SILENCE_MS))
            while (held < wishes && holds(answer, wish[held]))
                held++;
        if (held == wishes) {
            puts(answer);
            return 0;
        }
        pause_ms(PAUSE_MS);
    } while (now_us() < deadline);
    printf("%s\n", answer);
    return 1;
}

static int cmd_ahead(void)
{
    struct stat stat, other;
    uint64_t deadline = now_us() + (uint64_t)load.within_ms * 1000;
    if (option.nodes != 2)
        return 129;
    if (!stat_read(option.port[1], &other))
        return 1;
    while (!stat_read(option.port[0], &stat) || stat.term <= other.term) {
        if (now_us() > deadline)
            return 1;
        pause_ms(PAUSE_MS);
    }
    return 0;
}

/* --- options --- */

static const struct option long_option[] = {
    LOAD_OPTIONS,
    {"not", required_argument, NULL, 'x'},
    {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, "", long_option, NULL)) != -1) {
        if (letter == 'x')
            option.other_than = atoi(optarg);
        else if (!load_option(&load, letter, optarg))
            return false;
    }
    return load_is_possible(&load);
}

static void split_ports(char *list)
{
    for (char *word = strtok(list, ","); word && option.nodes < NODES; word = strtok(NULL, ","))
        option.port[option.nodes++] = atoi(word);
}

static int run(const char *command, int words, char **word)
{
    if (!strcmp(command, "load"))
        return cmd_load();
    if (!strcmp(command, "send"))
        return cmd_send(words, word);
    if (!strcmp(command, "leader"))
        return cmd_leader();
    if (!strcmp(command, "equal"))
        return cmd_equal();
    if (!strcmp(command, "await"))
        return cmd_await(words, word);
    if (!strcmp(command, "ahead"))
        return cmd_ahead();
    if (!strcmp(command, "log"))
        return cmd_log();
    return 129;
}

int main(int argc, char **argv)
{
    int status = 129;
    if (argc >= 3 && read_options(argc - 2, argv + 2)) {
        split_ports(argv[2]);
        status = run(argv[1], argc - 2 - optind, argv + 2 + optind);
    }
    if (status == 129)
        fprintf(stderr, "usage: kv_client load|send|leader|equal|await|ahead|log PORTS [options] [words]\n");
    return status;
}
