/* A pcapng file (draft-ietf-opsawg-pcapng) of IPv4 and TCP packets that never were: blocks and headers. */
#ifndef DRD_EXPORT_PCAPNG_BLOCK_H
#define DRD_EXPORT_PCAPNG_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCAPNG_SEGMENT 32768 /* most payload of one packet */

struct pcapng_packet {
    uint32_t interface;
    uint64_t time;           /* ns since 1970 */
    uint32_t from, to;       /* IPv4 addresses, as numbers */
    uint16_t from_port, to_port;
    uint32_t sequence, acknowledged;
    uint8_t flags;           /* of TCP */
    bool inbound;            /* as the interface sees it */
    uint64_t id;             /* epb_packetid; 0 none */
    const uint8_t *data;     /* NULL: the content of `length` bytes is not known; the packet is cut behind its headers */
    size_t length;
    const char *comment;     /* NULL none */
};

enum { PCAPNG_FIN = 1, PCAPNG_SYN = 2, PCAPNG_PUSH = 8, PCAPNG_ACK = 16 };

void pcapng_section(FILE *out, const char *application, const char *comment);
void pcapng_interface(FILE *out, const char *name, const char *description);
/* Names of addresses: `count` of them from `first` on. */
void pcapng_names(FILE *out, uint32_t first, const char *const *name, size_t count);
void pcapng_packet(FILE *out, const struct pcapng_packet *p);

#endif
