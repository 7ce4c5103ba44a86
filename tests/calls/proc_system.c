/* system() and popen(). */
#include "check.h"

static void say_lines(const char *command)
{
    char line[128];
    FILE *f = popen(command, "r");
    while (fgets(line, sizeof line, f))
        printf("> %s", line);
    say_status(command, pclose(f));
}

int main(void)
{
    unbuffered();
    FACT(system(NULL) != 0);
    say_status("true", system("true"));
    say_status("echo", system("echo from system; exit 3"));
    say_status("missing", system("no-such-command-here 2>/dev/null"));
    say_lines("echo a; echo b");
    say_lines("printf no-newline; exit 9");
    FILE *f = popen("cat; echo end", "w");
    fprintf(f, "to the command\n");
    say_status("cat", pclose(f));
    return 0;
}
