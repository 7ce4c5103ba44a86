/* getline, fgets, sscanf, ungetc, feof; standard input at its end. */
#include "check.h"

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen("f", "w");
    fputs("one\n\nthree words here\nlast without end", f);
    fclose(f);
    f = fopen("f", "r");
    for (ssize_t n; (n = getline(&line, &room, f)) > 0;)
        printf("%zd %d\n", n, line[n - 1] == '\n');
    FACT(feof(f) && !ferror(f));
    rewind(f);
    FACT(getc(f) == 'o' && ungetc('O', f) == 'O');
    getline(&line, &room, f);
    printf("%s", line);
    fclose(f);
    free(line);
    FACT(getchar() == EOF);
    return 0;
}
