/* The client of libraft_kv: load, single commands, and waiting, so that scripts need no polling of their own.
 *
 *   kv_client load PORTS [--commands N | --rate R --seconds S] [--window W]
 *   kv_client send PORT [--within MS] VERB [WORD...]   one request, its answer on stdout; 1 if refused or unanswered
 *   kv_client leader PORTS [--within MS] [--not PORT]  the client port of the leader that a majority follows
 *   kv_client equal PORTS [--within MS]                until every node has the same applied index and digest
 *   kv_client await PORT [--within MS] NAME=VALUE...   until STAT shows all of them (NAME+VALUE: at least)
 *   kv_client log PORT                                 the commands the node applied
 * PORTS are client ports, separated by commas. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 9, TEXT = 8192, WINDOW = 4096, PAUSE_MS = 20, SILENCE_MS = 1000 };

static struct {
    int port[NODES];
    int nodes;
    long commands, rate, seconds, window, within;
    int other_than;
} option = {.commands = 1000, .window = 1, .within = 15000};

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

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

static bool send_all(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
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
    uint64_t deadline = now_us() + (uint64_t)option.within * 1000;
    do {
        int port = leader_find();
        if (port)
            return port;
        pause_ms(PAUSE_MS);
    } while (now_us() < deadline);
    fprintf(stderr, "kv_client: no leader within %ld ms\n", option.within);
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
    uint64_t deadline = now_us() + (uint64_t)option.within * 1000;
    do {
        if (all_equal(stat))
            return true;
        pause_ms(PAUSE_MS);
    } while (now_us() < deadline);
    return false;
}

/* --- load --- */

/* Commands are numbered; the answer names the number. A command in flight when the leader goes is sent again to the next
 * one: it may then be applied twice, which every node does alike. */
static struct {
    int fd;
    long sent, done, again, total;
    uint64_t start, *began; /* by command: when it was first due; when answered, how long it took */
    bool *answered;
    char bytes[65536];
    size_t used;
} load = {.fd = -1};

static uint64_t due_us(long number)
{
    return option.rate ? load.start + (uint64_t)number * 1000000 / (uint64_t)option.rate : 0;
}

static bool command_send(long number)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%ld PUT k%ld v%ld\n", number, number % 500, number);
    return send_all(load.fd, line, (size_t)length);
}

/* Sends what the window and the pace allow; says in how many ms more may be sent. */
static bool load_send(int *wait_ms)
{
    *wait_ms = SILENCE_MS;
    while (load.sent < load.total && load.sent - load.done < option.window) {
        uint64_t now = now_us(), due = due_us(load.sent);
        if (due > now) {
            *wait_ms = (int)((due - now) / 1000) + 1;
            return true;
        }
        load.began[load.sent] = option.rate ? due : now;
        if (!command_send(load.sent++))
            return false;
    }
    return true;
}

static bool answer_take(const char *line)
{
    char *rest;
    long number = strtol(line, &rest, 10);
    if (number < 0 || number >= load.sent || load.answered[number])
        return true;
    if (strncmp(rest, " OK", 3) != 0)
        return false;
    load.answered[number] = true;
    load.began[number] = now_us() - load.began[number];
    load.done++;
    return true;
}

static bool load_receive(void)
{
    ssize_t count = read(load.fd, load.bytes + load.used, sizeof load.bytes - load.used);
    if (count <= 0)
        return false;
    load.used += (size_t)count;
    char *line = load.bytes, *end;
    bool good = true;
    while (good && (end = memchr(line, '\n', load.used - (size_t)(line - load.bytes)))) {
        good = answer_take(line);
        line = end + 1;
    }
    load.used -= (size_t)(line - load.bytes);
    memmove(load.bytes, line, load.used);
    return good;
}

/* Finds the leader (again) and repeats what has no answer. */
static bool load_connect(void)
{
    uint64_t deadline = now_us() + (uint64_t)option.within * 1000;
    if (load.fd >= 0)
        close(load.fd);
    load.fd = -1;
    load.used = 0;
    while (load.fd < 0 && now_us() < deadline) {
        int port = leader_find();
        if (port)
            load.fd = dial(port);
        if (load.fd < 0)
            pause_ms(PAUSE_MS);
    }
    for (long i = 0; i < load.sent && load.fd >= 0; i++) {
        if (load.answered[i])
            continue;
        load.again++;
        if (!command_send(i))
            return true; /* the next read notices */
    }
    return load.fd >= 0;
}

static bool load_run(void)
{
    int wait_ms;
    while (load.done < load.total) {
        bool good = load.fd >= 0 && load_send(&wait_ms);
        if (good) {
            int ready = poll(&(struct pollfd){.fd = load.fd, .events = POLLIN}, 1, wait_ms);
            good = ready > 0 ? load_receive() : ready == 0 && wait_ms < SILENCE_MS;
        }
        if (!good && !load_connect())
            return false;
    }
    return true;
}

static int longer(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void load_print(uint64_t took_us, bool equal)
{
    qsort(load.began, (size_t)load.total, sizeof *load.began, longer);
    printf("commands=%ld window=%ld seconds=%.2f rate=%.0f p50_us=%" PRIu64 " p99_us=%" PRIu64 " max_us=%" PRIu64
           " again=%ld equal=%s\n", load.total, option.window, (double)took_us / 1e6,
           (double)load.total * 1e6 / (double)took_us, load.began[load.total / 2], load.began[load.total * 99 / 100],
           load.began[load.total - 1], load.again, equal ? "yes" : "no");
}

static int cmd_load(void)
{
    struct stat stat[NODES];
    load.total = option.rate ? option.rate * option.seconds : option.commands;
    load.began = calloc((size_t)load.total + 1, sizeof *load.began);
    load.answered = calloc((size_t)load.total + 1, sizeof *load.answered);
    if (!load.began || !load.answered || load.total < 1 || !load_connect())
        return 1;
    load.start = now_us();
    if (!load_run()) {
        fprintf(stderr, "kv_client: no leader after %ld of %ld commands\n", load.done, load.total);
        return 1;
    }
    uint64_t took_us = now_us() - load.start;
    bool equal = equal_await(stat);
    load_print(took_us, equal);
    return equal ? 0 : 1;
}

/* --- single requests --- */

static int cmd_send(int words, char **word)
{
    char request[512] = "", answer[TEXT];
    for (int i = 0; i < words; i++)
        snprintf(request + strlen(request), sizeof request - strlen(request), "%s%s", i ? " " : "", word[i]);
    if (!ask(option.port[0], request, answer, sizeof answer, option.within)) {
        fprintf(stderr, "kv_client: no answer from port %d\n", option.port[0]);
        return 1;
    }
    puts(answer);
    return !strncmp(answer, "ERR", 3);
}

static int cmd_log(void)
{
    char answer[TEXT];
    if (!ask(option.port[0], "LOG", answer, sizeof answer, option.within))
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
    uint64_t deadline = now_us() + (uint64_t)option.within * 1000;
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

/* --- options --- */

static const struct option long_option[] = {
    {"commands", required_argument, NULL, 'n'}, {"rate", required_argument, NULL, 'r'},
    {"seconds", required_argument, NULL, 's'},  {"window", required_argument, NULL, 'w'},
    {"within", required_argument, NULL, 't'},   {"not", required_argument, NULL, 'x'},
    {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, "", long_option, NULL)) != -1) {
        switch (letter) {
        case 'n': option.commands = atol(optarg); break;
        case 'r': option.rate = atol(optarg); break;
        case 's': option.seconds = atol(optarg); break;
        case 'w': option.window = atol(optarg); break;
        case 't': option.within = atol(optarg); break;
        case 'x': option.other_than = atoi(optarg); break;
        default: return false;
        }
    }
    return option.window >= 1 && option.window <= WINDOW && (!option.rate || option.seconds > 0);
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
        fprintf(stderr, "usage: kv_client load|send|leader|equal|await|log PORTS [options] [words]\n");
    return status;
}
