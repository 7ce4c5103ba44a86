/* The environment that a program sees is the one it was given: its size and order, its own variables. */
#include "check.h"

extern char **environ;

int main(void)
{
    setenv("A_LONG_VALUE", "0123456789012345678901234567890123456789", 1);
    setenv("EMPTY", "", 1);
    FACT(!strcmp(getenv("EMPTY"), ""));
    unsetenv("EMPTY");
    FACT(getenv("EMPTY") == NULL);
    FACT(getenv("PATH") != NULL);
    putenv("PUT=there");
    printf("%s %s\n", getenv("PUT"), getenv("A_LONG_VALUE"));
    fflush(stdout);
    return WEXITSTATUS(system("echo \"$PUT $A_LONG_VALUE\"; exit 12"));
}
