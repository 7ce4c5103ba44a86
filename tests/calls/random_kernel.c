/* getrandom, getentropy, /dev/urandom, AT_RANDOM: other bytes each run, the same in a replay. */
#include "check.h"
#include <sys/auxv.h>
#include <sys/random.h>

int main(void)
{
    unsigned char a[64] = { 0 }, b[64] = { 0 }, big[1000];
    FACT(getrandom(a, sizeof a, 0) == sizeof a);
    FACT(getrandom(b, sizeof b, GRND_NONBLOCK) == sizeof b);
    FACT(memcmp(a, b, sizeof a) != 0);
    FACT(getentropy(b, 32) == 0);
    SAY(getentropy(big, 257));
    FACT(getrandom(big, sizeof big, GRND_RANDOM) > 0);
    int fd = MUST(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
    SAY(read(fd, big, sizeof big));
    SAY(getrandom(a, 1, 0x1000));
    FACT(getauxval(AT_RANDOM) != 0);
    /* The bytes themselves into a call, so that a replay with others differs. */
    int null = MUST(open("/dev/null", O_WRONLY));
    MUST(write(null, a, sizeof a));
    MUST(write(null, b, sizeof b));
    MUST(write(null, big, sizeof big));
    MUST(write(null, (void *)getauxval(AT_RANDOM), 16));
    MUST(write(null, &(void *[]){ a, malloc(10), main, stdout, read }, 40));
    return 0;
}
