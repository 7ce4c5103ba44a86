/* Says what it sees of the faults of the simulated world (tests/cli/simulate_faults.sh). Every line begins with CLOCK_MONOTONIC in ms,
 * which is 1000 when the world begins.
 *   struck disk FILE          appends a record to FILE every 10 ms and syncs every second one, says what fails, and first what is there
 *   struck clock              the time of day against the monotonic clock, every 50 ms
 *   struck send|receive PORT  a stream, a record every 10 ms
 *   struck tell|hear PORT     datagrams, one every millisecond */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void nap(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static const char *failure(bool failed)
{
    return failed ? strerrorname_np(errno) : "ok";
}

/* Record n is its number, 4 kB of it: a page of its own. */
static void disk(const char *path)
{
    static uint32_t record[1024];
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0644), n = 0, torn = 0;
    for (ssize_t got; (got = read(fd, record, sizeof record)) > 0; n++)
        torn += got != sizeof record || record[0] != (uint32_t)n || record[1023] != (uint32_t)n;
    printf("%.3f disk has %d torn %d\n", clock_ms(CLOCK_MONOTONIC), n, torn);
    for (;; n++, nap(10)) {
        for (int i = 0; i < 1024; i++)
            record[i] = (uint32_t)n;
        bool wrote = write(fd, record, sizeof record) == sizeof record;
        printf("%.3f disk write %d %s\n", clock_ms(CLOCK_MONOTONIC), n, failure(!wrote));
        double began = clock_ms(CLOCK_MONOTONIC);
        if (!wrote)
            n--;
        else if (n % 2 == 0) {
            bool failed = fdatasync(fd);
            printf("%.3f disk sync %d %s took %.3f\n", clock_ms(CLOCK_MONOTONIC), n, failure(failed), clock_ms(CLOCK_MONOTONIC) - began);
        }
    }
}

static void look_at_clock(void)
{
    double off = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC);
    for (;; nap(50))
        printf("%.3f clock %.3f\n", clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC) - off);
}

static int joined(int type, const char *port, bool serves)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, type, 0), one = 1, c;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!serves)
        return connect(s, (struct sockaddr *)&at, sizeof at) ? close(s), -1 : s;
    if (bind(s, (struct sockaddr *)&at, sizeof at))
        exit(1);
    if (type == SOCK_DGRAM)
        return s;
    c = listen(s, 1) ? -1 : accept(s, NULL, NULL);
    close(s);
    return c;
}

static void give(int type, const char *port)
{
    for (int n = 0, s = -1;; n++, nap(type == SOCK_DGRAM ? 1 : 10)) {
        double now = clock_ms(CLOCK_MONOTONIC);
        if (s < 0 && (s = joined(type, port, false)) < 0)
            printf("%.3f send connect %s\n", now, strerrorname_np(errno));
        else if (send(s, &now, sizeof now, MSG_NOSIGNAL) < 0) {
            printf("%.3f send %s\n", now, strerrorname_np(errno));
            close(s);
            s = -1;
        }
    }
}

static void take(int type, const char *port)
{
    double sent, last = 0;
    for (;;) {
        int s = joined(type, port, true);
        ssize_t got;
        while ((got = recv(s, &sent, sizeof sent, MSG_WAITALL)) == sizeof sent) {
            double now = clock_ms(CLOCK_MONOTONIC);
            printf("%.3f receive took %.3f %s\n", now, now - sent, sent < last ? "overtaken" : sent > last ? "next" : "again");
            last = sent;
        }
        printf("%.3f receive end %s\n", clock_ms(CLOCK_MONOTONIC), failure(got < 0));
        close(s);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *which = argc > 2 ? argv[2] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(what, "disk"))
        disk(which);
    else if (!strcmp(what, "clock"))
        look_at_clock();
    else if (!strcmp(what, "send") || !strcmp(what, "tell"))
        give(*what == 's' ? SOCK_STREAM : SOCK_DGRAM, which);
    else if (!strcmp(what, "receive") || !strcmp(what, "hear"))
        take(*what == 'r' ? SOCK_STREAM : SOCK_DGRAM, which);
    fprintf(stderr, "usage: struck disk FILE | clock | send PORT | receive PORT | tell PORT | hear PORT\n");
    return 2;
}
