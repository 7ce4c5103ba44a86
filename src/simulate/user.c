/* The memory of the process that asks: it stands still while it waits for its answer. What is
 * small comes and goes in its mail; for the rest see process_vm_readv(2). */
#include "simulate/machine.h"

#include "simulate/follow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static bool memory_get(struct machine *m, const struct task *t, void *to, int64_t address, size_t size)
{
    struct iovec mine = {to, size}, theirs = {(void *)(uintptr_t)address, size};
    return process_vm_readv((pid_t)task_mail(m, t)->pid, &mine, 1, &theirs, 1, 0) == (ssize_t)size;
}

static bool memory_put(struct machine *m, const struct task *t, int64_t address, const void *from, size_t size)
{
    struct iovec mine = {(void *)(uintptr_t)from, size}, theirs = {(void *)(uintptr_t)address, size};
    return process_vm_writev((pid_t)task_mail(m, t)->pid, &mine, 1, &theirs, 1, 0) == (ssize_t)size;
}

/* Do pieces go with what this thread asks, and with its answer? */
static struct mail *mail_with_pieces(struct machine *m, const struct task *t)
{
    struct mail *mail = task_mail(m, t);
    return mail->nr >= 0 && __atomic_load_n(&mail->state, __ATOMIC_ACQUIRE) == MAIL_ASKS ? mail : NULL;
}

/* The bytes of piece `i`, `size` of them. The mail is memory that the process could have written anything to. */
static char *piece_bytes(struct mail *mail, uint32_t i, uint64_t *at, uint32_t *size)
{
    uint32_t where = mail->piece[i].where;
    *at = mail->piece[i].at;
    *size = mail->piece[i].size;
    return where <= sizeof mail->text && *size <= sizeof mail->text - where ? mail->text + where : NULL;
}

static uint32_t pieces_count(const struct mail *mail)
{
    uint32_t count = mail->pieces;
    return count < MAILBOX_PIECES ? count : MAILBOX_PIECES;
}

bool user_get(struct machine *m, const struct task *t, void *to, int64_t address, size_t size)
{
    struct mail *mail = mail_with_pieces(m, t);
    uint64_t from = (uint64_t)address, at;
    uint32_t length;
    if (!size)
        return true;
    if (m->follow)
        return follow_user_get(m, to, address, size);
    for (uint32_t i = mail ? pieces_count(mail) : 0; i-- > 0;) {
        const char *bytes = piece_bytes(mail, i, &at, &length);
        if (!bytes || from < at || from - at > length || size > length - (from - at))
            continue;
        memcpy(to, bytes + (from - at), size);
        return true;
    }
    return memory_get(m, t, to, address, size);
}

/* What is put there shows in the pieces that hold these addresses too. */
static void pieces_update(struct mail *mail, uint64_t to, const char *from, size_t size)
{
    for (uint32_t i = 0; i < pieces_count(mail); i++) {
        uint64_t at, first, last;
        uint32_t length;
        char *bytes = piece_bytes(mail, i, &at, &length);
        first = to > at ? to : at;
        last = to + size < at + length ? to + size : at + length;
        if (bytes && first < last)
            memcpy(bytes + (first - at), from + (first - to), last - first);
    }
}

bool user_put(struct machine *m, const struct task *t, int64_t address, const void *from, size_t size)
{
    if (m->follow)
        return true; /* the process knows what it was given */
    struct mail *mail = mail_with_pieces(m, t);
    if (!size)
        return true;
    if (mail)
        pieces_update(mail, (uint64_t)address, from, size);
    uint32_t filled = mail ? mail->filled : 0, count = mail ? mail->pieces : MAILBOX_PIECES;
    if (count >= MAILBOX_PIECES || filled > sizeof mail->text || size > sizeof mail->text - filled)
        return memory_put(m, t, address, from, size);
    memcpy(mail->text + filled, from, size);
    mail->piece[count] = (struct mail_piece){(uint64_t)address, (uint32_t)size, filled};
    mail->filled = filled + (uint32_t)size;
    mail->pieces = count + 1;
    return true;
}

/* A text that the thread gave with its question. */
static bool text_given(struct machine *m, const struct task *t, int64_t address, char *to, size_t size)
{
    struct mail *mail = mail_with_pieces(m, t);
    for (uint32_t i = 0; mail && i < pieces_count(mail); i++) {
        uint64_t at;
        uint32_t length;
        const char *bytes = piece_bytes(mail, i, &at, &length);
        if (!bytes || at != (uint64_t)address || length > size || !length || bytes[length - 1])
            continue;
        memcpy(to, bytes, length);
        to[length - 1] = 0;
        return true;
    }
    return false;
}

static bool text_get(struct machine *m, const struct task *t, int64_t address, char *to, size_t size)
{
    if (text_given(m, t, address, to, size))
        return true;
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
