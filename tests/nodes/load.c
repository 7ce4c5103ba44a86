#include "load.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 20, SILENCE_MS = 2000 };

struct link {
    const struct load_protocol *protocol;
    int fd;
    size_t used;
    char bytes[65536];
};

uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

bool send_all(int fd, const char *text, size_t length)
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

bool load_option(struct load *load, int letter, const char *value)
{
    switch (letter) {
    case 'n': load->total = atol(value); return true;
    case 'r': load->rate = atol(value); return true;
    case 's': load->seconds = atol(value); return true;
    case 'w': load->window = atol(value); return true;
    case 't': load->within_ms = atol(value); return true;
    default: return false;
    }
}

bool load_is_possible(const struct load *load)
{
    return load->window >= 1 && (!load->rate || load->seconds > 0);
}

void load_answered(struct load *load, long number)
{
    if (number < 0 || number >= load->sent || load->answered[number])
        return;
    load->answered[number] = true;
    load->time_us[number] = now_us() - load->time_us[number];
    load->done++;
}

/* Sends what window and pace allow; `wait_ms`: no more before that. */
static bool load_send(struct load *load, struct link *link, int *wait_ms)
{
    *wait_ms = SILENCE_MS;
    while (load->sent < load->total && load->sent - load->done < load->window) {
        uint64_t now = now_us();
        uint64_t due = load->rate ? load->start_us + (uint64_t)load->sent * 1000000 / (uint64_t)load->rate : now;
        if (due > now) {
            *wait_ms = (int)((due - now) / 1000) + 1;
            return true;
        }
        load->time_us[load->sent] = due;
        if (!link->protocol->send(link->fd, load->sent++))
            return false;
    }
    return true;
}

static bool load_receive(struct load *load, struct link *link)
{
    ssize_t count = read(link->fd, link->bytes + link->used, sizeof link->bytes - 1 - link->used);
    if (count <= 0)
        return false;
    link->used += (size_t)count;
    char *message = link->bytes, *end = link->bytes + link->used;
    bool good = true;
    for (size_t length; good && (length = link->protocol->frame(message, (size_t)(end - message))); message += length) {
        char kept = message[length];
        message[length] = '\0';
        good = link->protocol->take(link->fd, load, message);
        message[length] = kept;
    }
    link->used = (size_t)(end - message);
    memmove(link->bytes, message, link->used);
    return good;
}

static void load_again(struct load *load, struct link *link)
{
    for (long i = 0; i < load->sent; i++) {
        if (load->answered[i])
            continue;
        load->again++;
        if (!link->protocol->send(link->fd, i))
            return; /* the next read notices */
    }
}

static bool load_connect(struct load *load, struct link *link)
{
    uint64_t deadline = now_us() + (uint64_t)load->within_ms * 1000;
    if (link->fd >= 0)
        close(link->fd);
    link->used = 0;
    while ((link->fd = link->protocol->connect()) < 0 && now_us() < deadline)
        pause_ms(PAUSE_MS);
    if (link->fd >= 0)
        load_again(load, link);
    return link->fd >= 0;
}

/* One turn: send, wait, receive. False: the server is gone, or has been silent for too long. */
static bool load_turn(struct load *load, struct link *link)
{
    int wait_ms;
    if (!load_send(load, link, &wait_ms))
        return false;
    int ready = poll(&(struct pollfd){.fd = link->fd, .events = POLLIN}, 1, wait_ms);
    return ready > 0 ? load_receive(load, link) : wait_ms < SILENCE_MS;
}

static bool load_prepare(struct load *load)
{
    if (load->rate)
        load->total = load->rate * load->seconds;
    load->time_us = calloc((size_t)load->total + 1, sizeof *load->time_us);
    load->answered = calloc((size_t)load->total + 1, sizeof *load->answered);
    return load->total > 0 && load->time_us && load->answered;
}

bool load_run(struct load *load, const struct load_protocol *protocol)
{
    static struct link link = {.fd = -1};
    link.protocol = protocol;
    bool good = load_prepare(load) && load_connect(load, &link);
    load->start_us = now_us();
    while (good && load->done < load->total)
        good = load_turn(load, &link) || load_connect(load, &link);
    load->took_us = now_us() - load->start_us;
    if (!good)
        fprintf(stderr, "load: no server after %ld of %ld commands\n", load->done, load->total);
    return good;
}

static int longer(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void load_print(struct load *load, bool equal)
{
    const uint64_t *t = load->time_us;
    qsort(load->time_us, (size_t)load->total, sizeof *t, longer);
    printf("commands=%ld window=%ld seconds=%.2f rate=%.0f p50_us=%" PRIu64 " p99_us=%" PRIu64 " max_us=%" PRIu64
           " again=%ld equal=%s\n", load->total, load->window, (double)load->took_us / 1e6,
           (double)load->total * 1e6 / (double)load->took_us, t[load->total / 2], t[load->total * 99 / 100],
           t[load->total - 1], load->again, equal ? "yes" : "no");
}
