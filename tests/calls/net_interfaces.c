/* getifaddrs (netlink) and if_nametoindex. */
#include "net.h"
#include <ifaddrs.h>
#include <net/if.h>

int main(void)
{
    struct ifaddrs *list = NULL;
    int loopback = 0;
    if (getifaddrs(&list)) {
        printf("refused\n");
        return 0;
    }
    for (struct ifaddrs *i = list; i; i = i->ifa_next)
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && i->ifa_flags & IFF_LOOPBACK)
            loopback++;
    freeifaddrs(list);
    FACT(loopback > 0);
    FACT(if_nametoindex("lo") == 1);
    FACT(if_nametoindex("no-such") == 0);
    return 0;
}
