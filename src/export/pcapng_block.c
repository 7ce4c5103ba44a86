#include "export/pcapng_block.h"

#include <stdlib.h>
#include <string.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, NAMES = 4, PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, SECTION_APPLICATION = 4, INTERFACE_NAME = 2, INTERFACE_DESCRIPTION = 3,
       INTERFACE_RESOLUTION = 9, PACKET_FLAGS = 2, PACKET_ID = 5 };
enum { LINK_RAW = 101, NAME_IPV4 = 1, NANOSECONDS = 9 };

#define HEADERS 40 /* IPv4 and TCP without options */
#define TEXT_MOST 1000

/* --- little pieces: numbers in the byte order of the machine, which the section header tells --- */

static void put32(FILE *out, uint32_t value)
{
    fwrite(&value, sizeof value, 1, out);
}

static void put16(FILE *out, uint16_t value)
{
    fwrite(&value, sizeof value, 1, out);
}

static uint32_t padded(size_t length)
{
    return (uint32_t)((length + 3) & ~(size_t)3);
}

static void put_padded(FILE *out, const void *data, size_t length)
{
    static const char zero[4];
    if (length)
        fwrite(data, 1, length, out);
    fwrite(zero, 1, padded(length) - length, out);
}

static void put_option(FILE *out, uint16_t code, const void *data, size_t length)
{
    put16(out, code);
    put16(out, (uint16_t)length);
    put_padded(out, data, length);
}

static size_t text_length(const char *text)
{
    return text ? strnlen(text, TEXT_MOST) : 0;
}

static uint32_t option_size(size_t length)
{
    return length ? 4 + padded(length) : 0;
}

static void put_text(FILE *out, uint16_t code, const char *text)
{
    if (text_length(text))
        put_option(out, code, text, text_length(text));
}

/* --- blocks --- */

void pcapng_section(FILE *out, const char *application, const char *comment)
{
    uint32_t size = 28 + option_size(text_length(application)) + option_size(text_length(comment)) + 4;
    const uint64_t unknown_length = UINT64_MAX;
    put32(out, SECTION);
    put32(out, size);
    put32(out, 0x1a2b3c4d);
    put16(out, 1);
    put16(out, 0);
    fwrite(&unknown_length, sizeof unknown_length, 1, out);
    put_text(out, SECTION_APPLICATION, application);
    put_text(out, OPTION_COMMENT, comment);
    put32(out, OPTION_END);
    put32(out, size);
}

void pcapng_interface(FILE *out, const char *name, const char *description)
{
    uint32_t size = 20 + option_size(text_length(name)) + option_size(text_length(description)) + 8 + 4;
    const uint8_t resolution = NANOSECONDS;
    put32(out, INTERFACE);
    put32(out, size);
    put16(out, LINK_RAW);
    put16(out, 0);
    put32(out, 0); /* packets are not cut */
    put_text(out, INTERFACE_NAME, name);
    put_text(out, INTERFACE_DESCRIPTION, description);
    put_option(out, INTERFACE_RESOLUTION, &resolution, 1);
    put32(out, OPTION_END);
    put32(out, size);
}

static void put_address(FILE *out, uint32_t address, const char *name)
{
    size_t length = 4 + text_length(name) + 1;
    char record[4 + TEXT_MOST + 1];
    for (int i = 0; i < 4; i++)
        record[i] = (char)(address >> (24 - 8 * i));
    memcpy(record + 4, name, length - 5);
    record[length - 1] = '\0';
    put_option(out, NAME_IPV4, record, length);
}

void pcapng_names(FILE *out, uint32_t first, const char *const *name, size_t count)
{
    uint32_t size = 16;
    for (size_t i = 0; i < count; i++)
        size += 4 + padded(4 + text_length(name[i]) + 1);
    put32(out, NAMES);
    put32(out, size);
    for (size_t i = 0; i < count; i++)
        put_address(out, first + (uint32_t)i, name[i]);
    put32(out, OPTION_END);
    put32(out, size);
}

/* --- packets --- */

static uint8_t *big16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
    return p + 2;
}

static uint8_t *big32(uint8_t *p, uint32_t value)
{
    return big16(big16(p, value >> 16), value & 0xffff);
}

/* The Internet checksum (RFC 1071), of bytes at an even offset of what is summed. */
static uint32_t sum_bytes(uint32_t sum, const uint8_t *p, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return length % 2 ? sum + ((uint32_t)p[length - 1] << 8) : sum;
}

static uint16_t sum_close(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void make_headers(const struct pcapng_packet *p, uint8_t header[HEADERS])
{
    uint8_t *ip = header, *tcp = header + 20;
    memset(header, 0, HEADERS);
    ip[0] = 0x45;
    big16(ip + 2, (uint32_t)(HEADERS + p->length));
    big16(ip + 4, (uint32_t)p->id & 0xffff);
    ip[6] = 0x40; /* not to be fragmented */
    ip[8] = 64;
    ip[9] = 6;
    big32(big32(ip + 12, p->from), p->to);
    big16(ip + 10, sum_close(sum_bytes(0, ip, 20)));
    big32(big32(big16(big16(tcp, p->from_port), p->to_port), p->sequence), p->flags & PCAPNG_ACK ? p->acknowledged : 0);
    tcp[12] = 0x50;
    tcp[13] = p->flags;
    big16(tcp + 14, 65535);
    uint32_t sum = sum_bytes(6 + 20 + (uint32_t)p->length, ip + 12, 8); /* of the pseudo header */
    sum = sum_bytes(sum, tcp, 20);
    if (p->data)
        sum = sum_bytes(sum, p->data, p->length);
    big16(tcp + 16, sum_close(sum));
}

void pcapng_packet(FILE *out, const struct pcapng_packet *p)
{
    uint8_t header[HEADERS];
    size_t captured = HEADERS + (p->data ? p->length : 0);
    uint32_t size = 32 + padded(captured) + option_size(text_length(p->comment)) + 8 + (p->id ? 12 : 0) + 4;
    const uint32_t flags = p->inbound ? 1 : 2;
    make_headers(p, header);
    put32(out, PACKET);
    put32(out, size);
    put32(out, p->interface);
    put32(out, (uint32_t)(p->time >> 32));
    put32(out, (uint32_t)p->time);
    put32(out, (uint32_t)captured);
    put32(out, (uint32_t)(HEADERS + p->length));
    fwrite(header, 1, HEADERS, out);
    put_padded(out, p->data, captured - HEADERS); /* HEADERS is a multiple of 4 */
    put_text(out, OPTION_COMMENT, p->comment);
    put_option(out, PACKET_FLAGS, &flags, sizeof flags);
    if (p->id)
        put_option(out, PACKET_ID, &p->id, sizeof p->id);
    put32(out, OPTION_END);
    put32(out, size);
}
