/* sendfile, copy_file_range, splice: data that passes the program by. */
#include "check.h"
#include <sys/sendfile.h>

int main(void)
{
    char b[64] = "";
    int p[2];
    off_t at = 4;
    int in = MUST(open("in", O_RDWR | O_CREAT, 0644)), out = MUST(open("out", O_RDWR | O_CREAT, 0644));
    MUST(write(in, "0123456789abcdef", 16));
    SAY(sendfile(out, in, &at, 6));
    printf("offset %ld\n", (long)at);
    SAY(sendfile(out, in, NULL, 6));
    SAY(lseek(in, 0, SEEK_SET));
    SAY(sendfile(out, in, NULL, 3));
    off_t from = 10, to = 20;
    SAY(copy_file_range(in, &from, out, &to, 100, 0));
    printf("offsets %ld %ld\n", (long)from, (long)to);
    MUST(pipe(p));
    from = 1;
    SAY(splice(in, &from, p[1], NULL, 5, 0));
    SAY(splice(p[0], NULL, out, NULL, 64, 0));
    SAY(pread(out, b, sizeof b, 0));
    printf("%.9s %.5s %.6s\n", b, b + 9, b + 20);
    SAY(sendfile(out, 99, NULL, 3));
    SAY(copy_file_range(in, NULL, in, NULL, 100, 1));
    return 0;
}
