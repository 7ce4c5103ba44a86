/* Inputs of the pysyncobj adapter: those of protocol_input.h, and the two ways of a connection at one of its ends, because an
 * answer says less than what it answers:
 *   byte 0   'b'
 *   byte 1   0 the end that connected, 1 the end that accepted
 *   bytes 2 to 5   u16 port of this end, u16 port of the other, both on 127.0.0.1
 *   the rest {u8 's' or 'r', u32 length, bytes}, as the calls of a real node sent and received them
 * 'z' instead of 'b': the bytes are the pickle of one message, to be framed here as zlib would. Whoever changes compressed
 * bytes at random does not get past their checksum. */
#ifndef DRD_TESTS_FUZZ_PYSYNCOBJ_INPUT_H
#define DRD_TESTS_FUZZ_PYSYNCOBJ_INPUT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <zlib.h>

#include "fuzz/protocol_input.h"

static inline struct flow_address pysyncobj_input_address(const uint8_t *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct flow_address a = {.length = sizeof in};
    in.sin_port = htons((uint16_t)(port[0] | port[1] << 8));
    memcpy(a.bytes, &in, sizeof in);
    return a;
}

static inline void pysyncobj_input_pieces(struct walk *w, struct way *way, size_t piece, const uint8_t *data, size_t left,
                                          struct flow_at *at)
{
    while (left) {
        size_t n = !piece || piece > left ? left : piece;
        at->sequence++;
        walk_way_bytes(w, way, data, n, at);
        data += n;
        left -= n;
    }
}

/* As one stored block (RFC 1950, 1951): compressing would take most of the fuzzer's time. */
static inline void pysyncobj_input_pickle(struct walk *w, struct way *way, const uint8_t *data, size_t size, struct flow_at *at)
{
    const size_t head = 4 + 2 + 5, tail = 4;
    size = size < UINT16_MAX ? size : UINT16_MAX;
    uint32_t length = (uint32_t)(2 + 5 + size + tail), check = (uint32_t)adler32(1, data, (uInt)size);
    uint8_t *frame = malloc(head + size + tail);
    if (!frame)
        return;
    const uint8_t begin[] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16), 0, 0x78, 0x01, 1,
                             (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)~size, (uint8_t)(~size >> 8)};
    memcpy(frame, begin, sizeof begin);
    memcpy(frame + head, data, size);
    for (size_t i = 0; i < tail; i++)
        frame[head + size + i] = (uint8_t)(check >> (24 - 8 * i));
    pysyncobj_input_pieces(w, way, 0, frame, head + size + tail, at);
    free(frame);
}

/* In pieces of that size, 0: as the calls had them. */
static inline void pysyncobj_input_calls(struct walk *w, struct way *way[2], bool pickles, size_t piece, const uint8_t *data,
                                         size_t size)
{
    struct flow_at at = {1, 0, 0, 0};
    while (size > 5) {
        uint32_t length;
        struct way *to = way[data[0] == 'r' ? FLOW_RECEIVED : FLOW_SENT];
        memcpy(&length, data + 1, sizeof length);
        data += 5;
        size -= 5;
        size_t left = length < size ? length : size;
        if (pickles)
            pysyncobj_input_pickle(w, to, data, left, &at);
        else
            pysyncobj_input_pieces(w, to, piece, data, left, &at);
        data += left;
        size -= left;
    }
}

static inline void pysyncobj_input_both(struct walk *w, size_t piece, const uint8_t *data, size_t size)
{
    struct flow_connection connection = {.id = 7, .paired = true};
    struct flow_end end[2] = {{.side = FLOW_CONNECTED}, {.side = FLOW_ACCEPTED}};
    unsigned own = size > 1 && data[1] == 1;
    if (size < 6)
        return;
    for (unsigned i = 0; i < 2; i++) {
        end[i].connection = &connection;
        end[i].opened.process = i == own ? 1 : 2;
        end[i].local = pysyncobj_input_address(data + (i == own ? 2 : 4));
        end[i].peer = pysyncobj_input_address(data + (i == own ? 4 : 2));
        connection.end[i] = &end[i];
    }
    struct way *way[2] = {walk_test_way(w, FLOW_SENT), walk_test_way(w, FLOW_RECEIVED)};
    if (way[0] && way[1]) {
        way[0]->end = way[1]->end = &end[own];
        pysyncobj_input_calls(w, way, data[0] == 'z', piece, data + 6, size - 6);
    }
    walk_test_way_free(way[0]);
    walk_test_way_free(way[1]);
}

static inline void pysyncobj_input_feed(struct walk *w, size_t piece, const uint8_t *data, size_t size)
{
    if (size && (data[0] == 'b' || data[0] == 'z'))
        pysyncobj_input_both(w, piece, data, size);
    else
        protocol_input_feed(w, data, size);
}

#endif
