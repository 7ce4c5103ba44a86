/* A library loaded while the program runs, used, and dropped; one that is not there. */
#include "check.h"
#include <dlfcn.h>

int main(void)
{
    void *lib = dlopen("libm.so.6", RTLD_NOW);
    FACT(lib != NULL);
    double (*cosine)(double) = (double (*)(double))dlsym(lib, "cos");
    printf("%.6f\n", cosine(1.0));
    FACT(dlsym(lib, "no_such_symbol") == NULL && dlerror() != NULL);
    printf("%d\n", dlclose(lib));
    FACT(dlopen("no-such-library.so", RTLD_LAZY) == NULL);
    void *resolver = dlopen("libresolv.so.2", RTLD_LAZY | RTLD_LOCAL);
    FACT(resolver != NULL);
    FACT(dlsym(RTLD_DEFAULT, "printf") != NULL);
    Dl_info info;
    FACT(dladdr((void *)printf, &info) != 0 && strstr(info.dli_fname, "libc") != NULL);
    return 0;
}
