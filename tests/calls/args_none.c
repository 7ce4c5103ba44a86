/* What stands on the stack at the start: arguments, environment, auxiliary vector agree with each other. */
#include "check.h"
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
    FACT(argc == 1 && argv[1] == NULL);
    FACT(environ == argv + argc + 1);
    FACT(getauxval(AT_PAGESZ) == 4096);
    FACT(getauxval(AT_UID) == getuid());
    FACT(getauxval(AT_PHDR) != 0 && getauxval(AT_ENTRY) != 0);
    FACT(getauxval(AT_SECURE) == 0);
    FACT(program_invocation_short_name != NULL);
    puts(program_invocation_short_name);
    return 0;
}
