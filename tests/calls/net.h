/* Sockets on the loopback interface, for the tiny programs. */
#ifndef NET_H
#define NET_H

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline struct sockaddr_in loopback4(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A socket bound to a port that the kernel chose. */
static inline int bound4(int type, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = MUST(socket(AF_INET, type, 0));
    *address = loopback4(0);
    MUST(bind(fd, (struct sockaddr *)address, size));
    MUST(getsockname(fd, (struct sockaddr *)address, &size));
    return fd;
}

static inline int listening4(struct sockaddr_in *address)
{
    int fd = bound4(SOCK_STREAM, address);
    MUST(listen(fd, 8));
    return fd;
}

static inline int connected4(const struct sockaddr_in *address)
{
    int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
    MUST(connect(fd, (const struct sockaddr *)address, sizeof *address));
    return fd;
}

static inline struct sockaddr_un unix_name(const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    strncpy(a.sun_path, name, sizeof a.sun_path - 1);
    return a;
}

/* All the bytes until the other side closes; their number. */
static inline size_t read_all(int fd, char *out, size_t room)
{
    size_t size = 0;
    for (ssize_t n; size < room && (n = MUST(read(fd, out + size, room - size))) > 0;)
        size += (size_t)n;
    return size;
}

#endif
