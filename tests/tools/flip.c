/* flip FILE OFFSET: change one bit of one byte of a file. Prints what it was. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned char byte;
    int fd = argc == 3 ? open(argv[1], O_RDWR) : -1;
    off_t at = argc == 3 ? atoll(argv[2]) : 0;
    if (fd < 0 || pread(fd, &byte, 1, at) != 1)
        return 1;
    printf("%u\n", byte);
    byte ^= 0x10;
    return pwrite(fd, &byte, 1, at) != 1;
}
