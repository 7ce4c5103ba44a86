/* One direction of a connection: from bytes to messages. */
#include "protocol/way.h"

#include <stdlib.h>
#include <string.h>

#define PROBE_MAX 4096 /* bytes looked at before a direction is taken for none of ours */

static bool way_hold(struct way *way, const uint8_t *data, size_t length)
{
    if (way->held + length > way->capacity) {
        size_t capacity = way->capacity ? way->capacity : 1024;
        while (capacity < way->held + length)
            capacity *= 2;
        uint8_t *buffer = realloc(way->buffer, capacity);
        if (!buffer)
            return false;
        way->buffer = buffer;
        way->capacity = capacity;
    }
    memcpy(way->buffer + way->held, data, length);
    way->held += length;
    return true;
}

static void way_message_done(struct way *way)
{
    memset(way->scan, 0, sizeof way->scan);
    way->need = way->passed = way->held = 0;
    if (way->capacity > 1u << 16) { /* a rare big one: not worth keeping for the life of the connection */
        free(way->buffer);
        way->buffer = NULL;
        way->capacity = 0;
    }
}

static void way_give_up(struct way *way)
{
    way->given_up = true;
    free(way->buffer);
    way->buffer = NULL;
    way->held = way->capacity = 0;
}

/* A complete message; false if the adapter makes no sense of it. */
static bool way_decode(struct way_input *in, struct way *way, const uint8_t *bytes, size_t length, size_t whole)
{
    char name[32] = "";
    if (length > WAY_MESSAGE_MAX)
        length = WAY_MESSAGE_MAX;
    way->end_offset = in->told + whole;
    way->told_of = 0;
    if (!way->adapter->message(in->state(in->context, way->adapter), in->walk, way, bytes, length, whole, in->at, name))
        return false;
    way->messages++;
    in->told += whole;
    in->message(in->context, way, in->told, whole, name, in->at);
    return true;
}

/* More bytes of a message whose length is known. Returns how many belong to it, 0: given up. */
static size_t way_fill(struct way_input *in, struct way *way, const uint8_t *data, size_t length)
{
    uint64_t missing = way->need - way->passed;
    size_t take = missing < length ? (size_t)missing : length;
    size_t room = way->held < WAY_MESSAGE_MAX ? WAY_MESSAGE_MAX - way->held : 0;
    if (!way_hold(way, data, take < room ? take : room))
        return 0;
    way->passed += take;
    if (way->passed == way->need) {
        if (!way_decode(in, way, way->buffer, way->held, (size_t)way->need))
            return 0;
        way_message_done(way);
    }
    return take;
}

/* Find the message that `data` starts, when nothing is held. Returns the bytes used, 0: given up. */
static size_t way_fresh(struct way_input *in, struct way *way, const uint8_t *data, size_t length)
{
    size_t n = way->adapter->frame(way, data, length);
    if (n == WAY_FOREIGN)
        return 0;
    if (n && n <= length) {
        bool good = way_decode(in, way, data, n, n);
        memset(way->scan, 0, sizeof way->scan);
        return good ? n : 0;
    }
    if (n) {
        way->need = n;
        return way_fill(in, way, data, length);
    }
    return length <= WAY_MESSAGE_MAX && way_hold(way, data, length) ? length : 0;
}

/* More bytes of a message whose end was not seen. Returns the bytes used, 0: given up. */
static size_t way_continue(struct way_input *in, struct way *way, const uint8_t *data, size_t length)
{
    size_t before = way->held;
    if (before > WAY_MESSAGE_MAX || !way_hold(way, data, length))
        return 0;
    size_t n = way->adapter->frame(way, way->buffer, way->held);
    if (n == WAY_FOREIGN || (n && n < before))
        return 0;
    if (!n)
        return length;
    if (n > way->held) {
        way->need = n;
        way->passed = way->held;
        return length;
    }
    bool good = way_decode(in, way, way->buffer, n, n);
    way_message_done(way);
    return good ? n - before : 0;
}

static void way_take(struct way_input *in, struct way *way, const uint8_t *data, size_t length)
{
    while (length) {
        size_t n = way->need ? way_fill(in, way, data, length)
                 : way->held ? way_continue(in, way, data, length)
                             : way_fresh(in, way, data, length);
        if (!n) {
            way_give_up(way);
            return;
        }
        data += n;
        length -= n;
    }
}

/* Whose protocol is it? Sets the adapter, gives up, or leaves the question open until there are more bytes. */
static void way_probe(struct way *way, const struct protocol_adapter *const *adapters, const uint8_t *data, size_t length)
{
    bool open = false;
    for (; *adapters; adapters++) {
        int answer = (*adapters)->probe ? (*adapters)->probe(data, length) : 0;
        if (answer > 0) {
            way->adapter = *adapters;
            return;
        }
        open |= answer < 0;
    }
    if (!open || length > PROBE_MAX)
        way_give_up(way);
}

static void way_begin(struct way_input *in, struct way *way, const uint8_t *data, size_t length)
{
    if (!way->held) {
        way_probe(way, in->adapters, data, length);
        if (way->adapter)
            way_take(in, way, data, length);
        else if (!way->given_up && !way_hold(way, data, length))
            way_give_up(way);
        return;
    }
    if (!way_hold(way, data, length)) {
        way_give_up(way);
        return;
    }
    way_probe(way, in->adapters, way->buffer, way->held);
    if (!way->adapter)
        return;
    uint8_t *pending = way->buffer;
    size_t held = way->held;
    way->buffer = NULL;
    way->held = way->capacity = 0;
    way_take(in, way, pending, held);
    free(pending);
}

void way_bytes(struct way_input *in, struct way *way, const uint8_t *data, size_t length)
{
    way->total += length;
    in->told = way->told;
    if (!data && !way->given_up)
        way_give_up(way);
    if (!way->given_up && !way->adapter)
        way_begin(in, way, data, length);
    else if (!way->given_up)
        way_take(in, way, data, length);
    way->told = in->told;
    if (way->given_up && way->told < way->total) {
        size_t rest = (size_t)(way->total - way->told);
        way->told = way->total;
        in->message(in->context, way, way->told, rest, "data", in->at);
    }
}

void way_unsent(struct way *way, size_t length)
{
    way_give_up(way);
    way->total -= length < way->total ? length : way->total;
    if (way->told > way->total)
        way->told = way->total;
}

void way_fini(struct way *way)
{
    free(way->buffer);
}
