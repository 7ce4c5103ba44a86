/* The memory of the process that asks: it stands still while it waits for its answer. process_vm_readv(2). */
#include "simulate/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

bool user_get(struct machine *m, const struct task *t, void *to, int64_t address, size_t size)
{
    struct iovec mine = {to, size}, theirs = {(void *)(uintptr_t)address, size};
    return !size || process_vm_readv((pid_t)task_mail(m, t)->pid, &mine, 1, &theirs, 1, 0) == (ssize_t)size;
}

bool user_put(struct machine *m, const struct task *t, int64_t address, const void *from, size_t size)
{
    struct iovec mine = {(void *)(uintptr_t)from, size}, theirs = {(void *)(uintptr_t)address, size};
    return !size || process_vm_writev((pid_t)task_mail(m, t)->pid, &mine, 1, &theirs, 1, 0) == (ssize_t)size;
}

static bool text_get(struct machine *m, const struct task *t, int64_t address, char *to, size_t size)
{
    for (size_t have = 0; have < size;) { /* up to the end of the page: the next one may not be there */
        size_t piece = 4096 - ((uint64_t)address + have) % 4096;
        piece = piece < size - have ? piece : size - have;
        if (!user_get(m, t, to + have, address + (int64_t)have, piece))
            return false;
        if (memchr(to + have, 0, piece))
            return true;
        have += piece;
    }
    return false;
}

const char *user_text(struct machine *m, const struct task *t, int64_t address, int slot)
{
    static char text[2][PATH_MAX];
    return text_get(m, t, address, text[slot], PATH_MAX) ? text[slot] : NULL;
}

char *user_copy(struct machine *m, const struct task *t, int64_t address)
{
    static char text[128 << 10]; /* MAX_ARG_STRLEN, execve(2) */
    return text_get(m, t, address, text, sizeof text) ? strdup(text) : NULL;
}
