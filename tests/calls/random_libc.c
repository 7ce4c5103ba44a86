/* rand, random, drand48 and their kin: with a seed the same everywhere, and with the time as a seed. */
#include "check.h"

int main(void)
{
    unsigned seed = 5;
    unsigned short x[3] = { 1, 2, 3 };
    struct random_data data = { 0 };
    char state[64];
    int32_t r;
    printf("%d %ld %.6f\n", rand(), random(), drand48());
    srand(7);
    srandom(8);
    srand48(9);
    printf("%d %ld %.6f %ld %ld\n", rand(), random(), drand48(), lrand48(), mrand48());
    printf("%d %.6f\n", rand_r(&seed), erand48(x));
    initstate_r(99, state, sizeof state, &data);
    random_r(&data, &r);
    printf("%d\n", r);
    srand((unsigned)time(NULL) ^ (unsigned)getpid());
    int mine[] = { rand(), rand(), (int)random(), (int)arc4random(), (int)arc4random_uniform(1000) };
    int fd = MUST(open("/dev/null", O_WRONLY));
    MUST(write(fd, mine, sizeof mine));
    return 0;
}
