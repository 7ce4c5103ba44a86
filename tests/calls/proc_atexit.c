/* atexit in reverse order, on_exit, destructors, flushing at the end. */
#include "check.h"

static void first(void) { printf("first\n"); }
static void second(void) { printf("second\n"); }

static void with_status(int status, void *argument)
{
    printf("status %d %s\n", status, (char *)argument);
}

__attribute__((constructor)) static void early(void) { printf("constructor\n"); }
__attribute__((destructor)) static void late(void) { printf("destructor\n"); }

int main(void)
{
    atexit(first);
    on_exit(with_status, "argument");
    atexit(second);
    fprintf(stderr, "to stderr\n");
    printf("no newline at the end");
    exit(300);
}
