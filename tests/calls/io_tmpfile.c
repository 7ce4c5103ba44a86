/* tmpfile, open_memstream, fmemopen, fdopen, freopen, dprintf. */
#include "check.h"

int main(void)
{
    char *text = NULL, b[64] = "";
    size_t size = 0;
    FILE *f = tmpfile();
    FACT(f != NULL);
    fprintf(f, "temporary");
    rewind(f);
    FACT(fgets(b, sizeof b, f) != NULL);
    puts(b);
    fclose(f);
    f = open_memstream(&text, &size);
    fprintf(f, "in %s", "memory");
    fclose(f);
    printf("%s %zu\n", text, size);
    f = fdopen(MUST(open("f", O_RDWR | O_CREAT, 0644)), "w");
    fprintf(f, "by fdopen");
    fclose(f);
    SAY(dprintf(1, "%s\n", "dprintf"));
    f = freopen("f", "r", stdin);
    FACT(f == stdin && scanf("%s", b) == 1);
    puts(b);
    fflush(stdout);
    FACT(freopen("out", "w", stdout) == stdout);
    printf("to the file\n");
    fflush(stdout);
    dprintf(2, "%ld\n", (long)lseek(1, 0, SEEK_CUR));
    return 0;
}
