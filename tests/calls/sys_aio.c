/* Linux asynchronous I/O by raw calls: writes, reads, an event descriptor, errors. */
#include "check.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

static long submit(aio_context_t c, struct iocb *one)
{
    return syscall(SYS_io_submit, c, 1, &one);
}

static void fetch(aio_context_t c)
{
    struct io_event e;
    SAY(syscall(SYS_io_getevents, c, 1, 1, &e, NULL));
    printf("data %ld result %ld\n", (long)e.data, (long)e.res);
}

int main(void)
{
    aio_context_t c = 0;
    char out[4096], in[4096] = "";
    uint64_t ready = 0;
    memset(out, 'o', sizeof out);
    if (syscall(SYS_io_setup, 8, &c)) {
        printf("none here\n");
        return 0;
    }
    int fd = MUST(open("f", O_RDWR | O_CREAT, 0644)), events = MUST(eventfd(0, 0));
    struct iocb one = { .aio_data = 11, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (uint32_t)fd,
        .aio_buf = (uintptr_t)out, .aio_nbytes = sizeof out };
    SAY(submit(c, &one));
    fetch(c);
    one = (struct iocb){ .aio_data = 22, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (uint32_t)fd, .aio_buf = (uintptr_t)in,
        .aio_nbytes = 3000, .aio_offset = 1000, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = (uint32_t)events };
    SAY(submit(c, &one));
    SAY(read(events, &ready, 8));
    fetch(c);
    printf("%.5s %d\n", in, in[3000]);
    one.aio_fildes = 99;
    SAY(submit(c, &one));
    struct io_event none;
    SAY(syscall(SYS_io_getevents, c, 0, 1, &none, &(struct timespec){ 0, 0 }));
    SAY(syscall(SYS_io_destroy, c));
    return 0;
}
