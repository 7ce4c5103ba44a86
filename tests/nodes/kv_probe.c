/* A client for worlds in which anything may happen to the servers (drd explore): it sends a little to each of them, all the time, whether
 * it leads or not and whether it answers or not; then it waits until all are alike.
 *
 *   kv_probe PORTS [--seconds S] [--every MS] [--verbs put,incr,get,snapshot,member,transfer] [--members HOST:PORT,...] [--settle MS]
 *
 * It says FAIL, and ends with 1, where a client was told what is not so (a count of what was counted once, a read that misses what was
 * acknowledged before it was asked for; raftkv), or where the servers are not alike in the end. What it does is drawn from getrandom(2). */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { SERVERS = 9, TEXT = 8192, READS = 256, AGAIN_MS = 700 };

struct server {
    int port, fd;     /* -1: not connected */
    uint64_t due;     /* us: its next request */
    char text[TEXT];  /* of its answer so far */
    size_t used;
    char stat[TEXT];  /* its latest STAT, "" none */
};

static struct server server[SERVERS];
static int servers;
static const char *member[SERVERS];
static int members;
static const char *verbs = "put";
static long seconds = 30, every_ms = 100, settle_ms = 20000;

static struct {
    long number;      /* the count under way */
    uint64_t sent;    /* us, 0: not yet */
    long read, least[READS]; /* by read: what was acknowledged when it was sent */
    char wrong[200];
} count = {.number = 1};

static uint64_t draw_state;

static long draw(long below)
{
    draw_state ^= draw_state << 13;
    draw_state ^= draw_state >> 7;
    draw_state ^= draw_state << 17;
    return (long)((draw_state >> 11) % (uint64_t)below);
}

/* ---- connections ---- */

static void hang_up(struct server *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->used = 0;
}

static bool dial(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s->fd >= 0)
        return true;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&address, sizeof address) == 0) {
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        return true;
    }
    hang_up(s);
    return false;
}

static void say(struct server *s, const char *line)
{
    size_t length = strlen(line);
    if (dial(s) && send(s->fd, line, length, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)length)
        hang_up(s);
}

/* ---- answers ---- */

static void wrong(const char *what, long got, long want)
{
    if (!*count.wrong)
        snprintf(count.wrong, sizeof count.wrong, "%s: %ld, where %ld is right", what, got, want);
}

static void on_counted(const char *tag, const char *answer)
{
    long index, value, number = strtol(tag, NULL, 10);
    if (sscanf(answer, "OK %ld %ld", &index, &value) != 2)
        return;
    if (value != number)
        wrong("a count done once", value, number);
    if (number == count.number) {
        count.number++;
        count.sent = 0;
    }
}

static void on_read(const char *tag, const char *answer)
{
    long number = strtol(tag, NULL, 10), value = 0, least;
    if (count.read - number >= READS || (strncmp(answer, "NONE", 4) && sscanf(answer, "VALUE %ld", &value) != 1))
        return;
    least = count.least[number % READS];
    if (value < least)
        wrong("a read misses what was acknowledged before", value, least);
    if (value > count.number)
        wrong("a read of more than was sent", value, count.number);
}

static void on_line(struct server *s, char *line)
{
    char *answer = line + strcspn(line, " ");
    if (*answer)
        *answer++ = 0;
    if (*line == 'i')
        on_counted(line + 1, answer);
    else if (*line == 'g')
        on_read(line + 1, answer);
    else if (*line == 's')
        snprintf(s->stat, sizeof s->stat, "%s", answer);
}

static void listen_to(struct server *s)
{
    ssize_t got = recv(s->fd, s->text + s->used, sizeof s->text - 1 - s->used, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            hang_up(s);
        return;
    }
    s->used += (size_t)got;
    s->text[s->used] = 0;
    for (char *end; (end = strchr(s->text, '\n'));) {
        *end = 0;
        on_line(s, s->text);
        s->used -= (size_t)(end + 1 - s->text);
        memmove(s->text, end + 1, s->used + 1);
    }
    if (s->used + 1 == sizeof s->text)
        hang_up(s);
}

static void listen_until(uint64_t due)
{
    struct pollfd fd[SERVERS];
    for (uint64_t now; (now = now_us()) < due;) {
        for (int i = 0; i < servers; i++)
            fd[i] = (struct pollfd){.fd = server[i].fd, .events = POLLIN};
        if (poll(fd, (nfds_t)servers, (int)((due - now) / 1000) + 1) <= 0)
            return;
        for (int i = 0; i < servers; i++)
            if (fd[i].revents)
                listen_to(&server[i]);
    }
}

/* ---- requests ---- */

static void put(struct server *s)
{
    static long number;
    char line[100];
    number++;
    if (draw(8))
        snprintf(line, sizeof line, "p PUT k%ld v%ld\n", draw(5), number);
    else
        snprintf(line, sizeof line, "p PUT k%ld @site\n", draw(5)); /* no more than a value, but for a server that looks (T24d) */
    say(s, line);
}

/* The same number again while there is no answer; now and then twice. */
static void count_one(struct server *s)
{
    char line[200];
    uint64_t now = now_us();
    if (count.sent && now - count.sent < AGAIN_MS * 1000u && draw(8))
        return put(s);
    count.sent = now;
    snprintf(line, sizeof line, "i%ld INCR count one %ld\n", count.number, count.number);
    say(s, line);
}

static void read_one(struct server *s)
{
    char line[100];
    count.least[++count.read % READS] = count.number - 1;
    snprintf(line, sizeof line, "g%ld GET count\n", count.read);
    say(s, line);
}

/* The first and the last server come and go; the others stay, so that there always is somebody. */
static void change_member(struct server *s)
{
    char line[200];
    int id = draw(3) ? members : 1;
    if (draw(2))
        snprintf(line, sizeof line, "m REMOVE %d\n", id);
    else
        snprintf(line, sizeof line, "m %s %d %s\n", id == 1 || draw(3) ? "ADD" : "LEARN", id, member[id - 1]);
    say(s, line);
}

static void request(struct server *s)
{
    char line[100];
    long kind = draw(100);
    if (kind < 3 && strstr(verbs, "snapshot"))
        say(s, "S SNAPSHOT\n");
    else if (kind < 5 && strstr(verbs, "transfer"))
        snprintf(line, sizeof line, "t TRANSFER %ld\n", 1 + draw(servers)), say(s, line);
    else if (kind < 8 && members && strstr(verbs, "member"))
        change_member(s);
    else if (kind < 30 && strstr(verbs, "get"))
        read_one(s);
    else if (kind < 60 && strstr(verbs, "incr"))
        count_one(s);
    else
        put(s);
}

/* Sometimes at once again: what a leader has not told anybody grows. */
static void load(void)
{
    uint64_t now = now_us(), end = now + (uint64_t)seconds * 1000000;
    for (int i = 0; i < servers; i++)
        server[i].due = now;
    while (now < end) {
        struct server *next = &server[0];
        for (int i = 1; i < servers; i++)
            if (server[i].due < next->due)
                next = &server[i];
        listen_until(next->due < end ? next->due : end);
        if ((now = now_us()) < next->due)
            continue;
        request(next);
        next->due = now + (draw(4) ? (uint64_t)draw(2 * every_ms) * 1000 : 0);
    }
}

/* ---- the end ---- */

static long stat_of(const struct server *s, const char *name)
{
    const char *at = strstr(s->stat, name);
    return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

/* raftkv says who its members are; elsewhere all are. A learner has a star. */
static bool is_member(const struct server *leader, int id)
{
    const char *list = strstr(leader->stat, "members=");
    size_t length = list ? strcspn(list + 8, " ") : 0;
    return !list || memchr(list + 8, '0' + id, length) != NULL;
}

static const char *digest_of(const struct server *s)
{
    static char digest[SERVERS][32];
    char *to = digest[s - server];
    const char *at = strstr(s->stat, "digest=");
    snprintf(to, sizeof digest[0], "%.*s", at ? (int)strcspn(at + 7, " ") : 0, at ? at + 7 : "");
    return to;
}

static const struct server *leader_find(void)
{
    const struct server *leader = NULL;
    for (int i = 0; i < servers; i++)
        if (strstr(server[i].stat, "role=leader") && (!leader || stat_of(&server[i], " term=") > stat_of(leader, " term=")))
            leader = &server[i];
    return leader;
}

static bool alike(void)
{
    const struct server *leader = leader_find();
    for (int i = 0; leader && i < servers; i++)
        if (is_member(leader, i + 1) && (stat_of(&server[i], " applied=") != stat_of(leader, " applied=") ||
                                         strcmp(digest_of(&server[i]), digest_of(leader))))
            return false;
    return leader != NULL;
}

static void ask_all(void)
{
    for (int i = 0; i < servers; i++) {
        server[i].stat[0] = 0;
        say(&server[i], "s STAT\n");
    }
    listen_until(now_us() + 200 * 1000);
}

static int settle(void)
{
    uint64_t end = now_us() + (uint64_t)settle_ms * 1000;
    bool same;
    do
        ask_all();
    while (!(same = alike()) && now_us() < end);
    for (int i = 0; i < servers; i++)
        printf("server %d: %.150s\n", i + 1, *server[i].stat ? server[i].stat : "no answer");
    if (*count.wrong)
        printf("FAIL: %s\n", count.wrong);
    else if (!same)
        printf("FAIL: %s\n", leader_find() ? "the servers are not alike" : "there is no leader");
    return !same || *count.wrong;
}

/* ---- options ---- */

static const struct option long_option[] = {
    {"seconds", required_argument, NULL, 's'}, {"every", required_argument, NULL, 'e'},  {"verbs", required_argument, NULL, 'v'},
    {"members", required_argument, NULL, 'm'}, {"settle", required_argument, NULL, 't'}, {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt_long(argc, argv, "", long_option, NULL)) != -1) {
        if (letter == 's')
            seconds = atol(optarg);
        else if (letter == 'e')
            every_ms = atol(optarg);
        else if (letter == 't')
            settle_ms = atol(optarg);
        else if (letter == 'v')
            verbs = optarg;
        else if (letter != 'm')
            return false;
        for (char *word = letter == 'm' ? strtok(optarg, ",") : NULL; word && members < SERVERS; word = strtok(NULL, ","))
            member[members++] = word;
    }
    for (char *word = optind < argc ? strtok(argv[optind], ",") : NULL; word && servers < SERVERS; word = strtok(NULL, ","))
        server[servers++] = (struct server){.port = atoi(word), .fd = -1};
    return servers && seconds >= 0 && every_ms > 0;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: kv_probe PORTS [--seconds S] [--every MS] [--verbs WORD,...] [--members HOST:PORT,...] [--settle MS]\n");
        return 129;
    }
    if (getrandom(&draw_state, sizeof draw_state, 0) != sizeof draw_state || !draw_state)
        draw_state = 1;
    load();
    return settle();
}
