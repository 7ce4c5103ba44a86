#include "shim/shim.h"

#include <time.h>

/* Most copies here are of a few words, where `rep movsb` takes longer to begin than to copy. */
#define SHORT_COPY 256

typedef uint64_t word __attribute__((may_alias, aligned(1)));

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (n > SHORT_COPY) {
        __asm__ volatile("rep movsb" : "+D"(t), "+S"(f), "+c"(n) : : "memory");
        return to;
    }
    for (; n >= 8; t += 8, f += 8, n -= 8)
        *(word *)t = *(const word *)f;
    for (; n; n--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    const uint64_t pattern = 0x0101010101010101u * (uint8_t)byte;
    if (n > SHORT_COPY) {
        __asm__ volatile("rep stosb" : "+D"(t), "+c"(n) : "a"(byte) : "memory");
        return to;
    }
    for (; n >= 8; t += 8, n -= 8)
        *(word *)t = pattern;
    for (; n; n--)
        *t++ = (uint8_t)byte;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t <= f || t >= f + n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    while (n >= 8 && *(const uint64_t *)x == *(const uint64_t *)y)
        x += 8, y += 8, n -= 8;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

bool text_equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

bool text_starts(const char *text, const char *prefix)
{
    while (*prefix && *text == *prefix)
        text++, prefix++;
    return !*prefix;
}

const char *text_base_name(const char *path)
{
    const char *base = path;
    for (; *path; path++)
        if (*path == '/' && path[1])
            base = path + 1;
    return base;
}

void text_copy(char *to, size_t size, const char *from)
{
    text_append(to, to + size, from);
}

/* Append, always terminated, cut at `end`. Returns where the next piece goes. */
char *text_append(char *at, char *end, const char *from)
{
    while (at + 1 < end && *from)
        *at++ = *from++;
    *at = 0;
    return at;
}

char *text_append_int(char *at, char *end, int64_t value)
{
    char digits[24], *d = digits + sizeof digits - 1;
    uint64_t u = value < 0 ? -(uint64_t)value : (uint64_t)value;
    *d = 0;
    do
        *--d = (char)('0' + u % 10);
    while (u /= 10);
    if (value < 0)
        *--d = '-';
    return text_append(at, end, d);
}

char *text_append_hex(char *at, char *end, uint64_t value, int digits)
{
    char text[17];
    for (int i = 0; i < digits; i++)
        text[i] = "0123456789abcdef"[value >> (4 * (digits - 1 - i)) & 15];
    text[digits] = 0;
    return text_append(at, end, text);
}

uint64_t monotonic_now(void)
{
    struct timespec ts;
    if (simulated)
        return simulated->now;
    vdso_clock(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void thread_kill(int signo)
{
    RAW(SYS_tgkill, RAW(SYS_getpid), RAW(SYS_gettid), signo);
}
