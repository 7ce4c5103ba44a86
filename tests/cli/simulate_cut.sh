#!/bin/sh
# drd simulate: what is on its way when a connection is cut one way does not arrive, and all of it does, in order, when it is healed.
#   simulate_cut.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
. "$here/lib.sh"
cat >talk.c <<'END'
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
static struct sockaddr_in at = {.sin_family = AF_INET};
int main(int argc, char **argv)
{
    int n = 0, got, s = socket(AF_INET, SOCK_STREAM, 0);
    struct timespec now, pause = {0, 200 * 1000};
    at.sin_port = htons(4711);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc > 1 && !strcmp(argv[1], "listen")) {
        if (bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 1) || (s = accept(s, NULL, NULL)) < 0)
            return 1;
        for (int i = 0; recv(s, &got, sizeof got, MSG_WAITALL) == sizeof got; i++) {
            clock_gettime(CLOCK_REALTIME, &now);
            printf("%ld.%09ld %s\n", (long)now.tv_sec - 1700000001, now.tv_nsec, got == i ? "in order" : "out of order");
        }
        return 0;
    }
    while (connect(s, (struct sockaddr *)&at, sizeof at))
        nanosleep(&pause, NULL);
    for (; n < 10000; n++, nanosleep(&pause, NULL))
        if (send(s, &n, sizeof n, 0) != sizeof n)
            return 1;
    return 0;
}
END
${CC:-cc} -o talk talk.c
printf 'at 1.000 cut-one-way a b\nat 2.000 heal\n' >plan
for seed in 1 2 3 4 5 6; do
    rm -f new.drd
    expect 0 "$drd" simulate --seed $seed --plan plan -o new.drd -- sh -c 'DRD_NODE=b ./talk listen & DRD_NODE=a ./talk; wait'
    awk '$1 > 1.0 && $1 < 2.0 { early++ } $1 < 1.0 { before++ } $1 >= 2.0 { after++ } /out of order/ { wild++ }
         END { exit !(before > 1000 && after > 1000 && before + after == 10000 && !early && !wild) }' out ||
        wrong "seed $seed: $(awk '$1 > 1.0 && $1 < 2.0' out | head -n 3), $(wc -l <out) in all"
done
leave
