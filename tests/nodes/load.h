/* The load that both clients put on a cluster: numbered commands, W of them outstanding, paced or as fast as they are
 * answered. A command in flight when its server goes is sent again to the next one: it may then be applied twice, which
 * every node does alike. */
#ifndef DRD_TESTS_LOAD_H
#define DRD_TESTS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    long total, window, rate, seconds; /* rate 0: not paced; otherwise total = rate * seconds */
    long within_ms;                    /* longest search for a server */
    long sent, done, again;
    uint64_t start_us, took_us;
    uint64_t *time_us; /* by command: when it was due; once answered, how long it took */
    bool *answered;
};

/* What differs between the two: how to reach a server, what a command and an answer look like. */
struct load_protocol {
    int (*connect)(void);                                  /* -1: none now */
    bool (*send)(int fd, long number);
    size_t (*frame)(const char *bytes, size_t length);     /* length of the first whole message; 0: not whole yet */
    bool (*take)(int fd, struct load *load, char *message); /* false: this server is of no use any more */
};

uint64_t now_us(void);
void pause_ms(long ms);
bool send_all(int fd, const char *text, size_t length);

/* Their options, as rows for getopt_long. */
#define LOAD_OPTIONS \
    {"commands", required_argument, NULL, 'n'}, {"rate", required_argument, NULL, 'r'}, \
    {"seconds", required_argument, NULL, 's'}, {"window", required_argument, NULL, 'w'}, \
    {"within", required_argument, NULL, 't'}

/* Take the value of one of those; false: it is none. */
bool load_option(struct load *load, int letter, const char *value);
/* Do they go together? */
bool load_is_possible(const struct load *load);

void load_answered(struct load *load, long number);

/* False, and a line on stderr, when no server was found within `within_ms`. */
bool load_run(struct load *load, const struct load_protocol *protocol);

/* One line; `equal` says whether the nodes ended alike. */
void load_print(struct load *load, bool equal);

#endif
