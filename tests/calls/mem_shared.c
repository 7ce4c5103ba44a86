/* A file mapped shared: what is stored there is in the file. */
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    char b[16] = "";
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644));
    MUST(ftruncate(fd, 8192));
    char *m = MUST(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    strcpy(m + 4096, "stored");
    SAY(msync(m, 8192, MS_SYNC));
    SAY(pread(fd, b, 8, 4096));
    puts(b);
    SAY(munmap(m, 8192));
    m = MUST(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
    puts(m + 4096);
    int memory = MUST(memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    MUST(ftruncate(memory, 4096));
    m = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0));
    strcpy(m, "in memory");
    SAY(read(memory, b, sizeof b));
    puts(b);
    SAY(munmap(m, 4096));
    SAY(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE));
    SAY(write(memory, "x", 1));
    return 0;
}
