/* stdio's buffers: lines, blocks, none; both streams in one file; a long line. */
#include "check.h"

int main(void)
{
    char b[100], buffer[64];
    FILE *f = fopen("f", "w+");
    setvbuf(f, buffer, _IOFBF, sizeof buffer);
    for (int i = 0; i < 100; i++)
        fprintf(f, "%d,", i);
    fflush(f);
    SAY(ftell(f));
    rewind(f);
    FACT(fread(b, 1, 10, f) == 10);
    printf("%.10s %c\n", b, getc(f));
    SAY(fseek(f, -3, SEEK_END));
    SAY(fscanf(f, "%2s", b));
    puts(b);
    SAY(fclose(f));
    printf("unflushed;");
    fprintf(stderr, "err\n");
    for (int i = 0; i < 5000; i++)
        putchar('a' + i % 26);
    printf("\n%10.3f|%-8s|%#x|%+d|%e\n", 3.14159, "left", 255, 5, 123456.789);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("a line\nand half of one");
    FACT(fopen("missing", "r") == NULL && errno == ENOENT);
    return 0;
}
