/* getaddrinfo of numbers and of localhost, getnameinfo, errors. */
#include "net.h"
#include <netdb.h>

static void look_up(const char *host, const char *service, int flags)
{
    struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = flags }, *list = NULL;
    char text[64], port[16];
    int e = getaddrinfo(host, service, &want, &list);
    printf("%s: %s\n", host ? host : "(none)", e ? gai_strerror(e) : "found");
    for (struct addrinfo *a = list; a; a = a->ai_next) {
        getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        printf("  %s %s\n", text, port);
    }
    if (list)
        freeaddrinfo(list);
}

int main(void)
{
    look_up("127.0.0.1", "80", AI_NUMERICHOST);
    look_up("::1", "8080", AI_NUMERICHOST);
    look_up("localhost", "7000", 0);
    look_up(NULL, "5", AI_PASSIVE);
    look_up("not a number", "1", AI_NUMERICHOST);
    struct servent *s = getservbyname("ssh", "tcp");
    printf("%d\n", s ? ntohs((uint16_t)s->s_port) : 0);
    struct in_addr in;
    FACT(inet_pton(AF_INET, "10.1.2.3", &in) == 1);
    printf("%s\n", inet_ntoa(in));
    return 0;
}
