/* Memory calls are executed in a replay too: the program must find the same bytes at the same addresses. What a mapped file
 * showed comes from the stream, but for programs and libraries (images): those are checked by build-id before the replay
 * and mapped again. mmap(2), elf(5). */
#include "shim/shim.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool mapping_is_image; /* of the mmap under way; the baton is held */

static bool is_elf(int fd)
{
    uint8_t magic[4];
    return RAW(SYS_pread64, fd, magic, sizeof magic, 0) == sizeof magic && !memcmp(magic, ELFMAG, 4);
}

/* The note of this owner and type in an image mapped at `base`; 0 if it has none within `size` bytes. elf(5). */
static size_t elf_note(const uint8_t *base, size_t size, const char *owner, uint32_t type, const uint8_t **found)
{
    const Elf64_Ehdr *head = (const void *)base;
    if (size < sizeof *head || head->e_phoff + head->e_phnum * sizeof(Elf64_Phdr) > size)
        return 0;
    const Elf64_Phdr *ph = (const void *)(base + head->e_phoff);
    for (int i = 0; i < head->e_phnum; i++) {
        if (ph[i].p_type != PT_NOTE || ph[i].p_offset + ph[i].p_filesz > size)
            continue;
        const uint8_t *at = base + ph[i].p_offset, *end = at + ph[i].p_filesz;
        while (at + sizeof(Elf64_Nhdr) <= end) {
            const Elf64_Nhdr *note = (const void *)at;
            const uint8_t *name = at + sizeof *note, *text = name + ((note->n_namesz + 3) & ~3u);
            if (note->n_type == type && note->n_namesz == 4 && !memcmp(name, owner, 4) && text + note->n_descsz <= end)
                return *found = text, note->n_descsz;
            at = text + ((note->n_descsz + 3) & ~3u);
        }
    }
    return 0;
}

size_t elf_build_id(const uint8_t *base, size_t size, const uint8_t **id)
{
    return elf_note(base, size, "GNU", NT_GNU_BUILD_ID, id);
}

bool elf_is_go(const uint8_t *base, size_t size)
{
    const uint8_t *id;
    return elf_note(base, size, "Go\0", 4, &id) > 0;
}

void memory_image_note(const char *path, const void *base, size_t size)
{
    const uint8_t *id = NULL;
    size_t length = base ? elf_build_id(base, size, &id) : 0;
    uint8_t *p = stream_event(TRACE_IMAGE, 4, strlen(path) + length);
    if (!p)
        return;
    p = pack_int(pack_int(put_text(p, path), (int64_t)(uintptr_t)base), (int64_t)size);
    stream_publish(put_bytes(p, id, length));
}

static void image_note(const struct call *call, long result)
{
    static char path[4096]; /* not on the node's stack: see SCRUB_CALL */
    char link[32], *end = link + sizeof link;
    text_append_int(text_append(link, end, "/proc/self/fd/"), end, (int)call->arg[4]);
    long n = RAW(SYS_readlink, link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    bool head = call->arg[5] == 0 && call->arg[2] & PROT_READ;
    memory_image_note(path, head ? (void *)result : NULL, (size_t)call->arg[1]);
}

/* How much of a file mapping is written down: up to the end of the file. */
size_t memory_mapping_length(const struct call *call, long result)
{
    struct stat st;
    (void)result;
    if (call->arg[3] & MAP_ANONYMOUS || mapping_is_image || !(call->arg[2] & PROT_READ))
        return 0;
    if (RAW(SYS_fstat, (int)call->arg[4], &st) || st.st_size <= call->arg[5])
        return 0;
    size_t left = (size_t)(st.st_size - call->arg[5]);
    return left < (size_t)call->arg[1] ? left : (size_t)call->arg[1];
}

static long memory_live(struct call *call)
{
    const long *a = call->arg;
    bool file = call->nr == SYS_mmap && !(a[3] & MAP_ANONYMOUS);
    mapping_is_image = file && (a[3] & MAP_TYPE) == MAP_PRIVATE && is_elf((int)a[4]);
    long result = RAW(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (mapping_is_image && (result >= 0 || result < -4095))
        image_note(call, result);
    live_note(call, result);
    return result;
}

/* The file that the recorded process mapped. */
static long image_map(const char *path, const struct call *call, long at)
{
    const long *a = call->arg;
    long fd = RAW(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    long result = RAW(SYS_mmap, at, a[1], a[2], MAP_PRIVATE | MAP_FIXED, fd, a[5]);
    RAW(SYS_close, fd);
    return result;
}

/* Beyond the end of a file a private mapping faults, so it must be one of a file of the same length. */
static long private_map(const struct call *call, long at, const uint8_t *data, size_t length)
{
    const long *a = call->arg;
    long fd = RAW(SYS_memfd_create, "drd", 1);
    RAW(SYS_ftruncate, fd, a[2] & PROT_READ ? length : (size_t)a[1]);
    for (size_t done = 0; done < length;) {
        long n = RAW(SYS_pwrite64, fd, data + done, length - done, done);
        if (n <= 0)
            return RAW(SYS_close, fd), n;
        done += (size_t)n;
    }
    long result = RAW(SYS_mmap, at, a[1], a[2], MAP_PRIVATE | MAP_FIXED, fd, 0);
    RAW(SYS_close, fd);
    return result;
}

/* A shared one may grow with its file: all of it can be used. */
static long shared_map(const struct call *call, long at, const uint8_t *data, size_t length)
{
    const long *a = call->arg;
    long result = RAW(SYS_mmap, at, a[1], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (result != at)
        return result;
    if (data)
        memcpy((void *)at, data, length);
    RAW(SYS_mprotect, at, a[1], a[2]);
    return at;
}

static long memory_again(const struct call *call, long recorded, const char *image, const uint8_t *data, size_t length)
{
    const long *a = call->arg;
    long keep = ~(long)(MAP_FIXED_NOREPLACE | MAP_32BIT);
    switch (call->nr) {
    case SYS_mmap:
        if (image)
            return image_map(image, call, recorded);
        if (!(a[3] & MAP_ANONYMOUS))
            return (a[3] & MAP_TYPE) == MAP_PRIVATE ? private_map(call, recorded, data, length)
                                                    : shared_map(call, recorded, data, length);
        return RAW(SYS_mmap, recorded, a[1], a[2], (a[3] & keep) | MAP_FIXED, -1, 0);
    case SYS_mremap:
        if (recorded == a[0])
            return RAW(SYS_mremap, a[0], a[1], a[2], 0);
        return RAW(SYS_mremap, a[0], a[1], a[2], a[3] | MREMAP_MAYMOVE | MREMAP_FIXED, recorded);
    default:
        return RAW(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

static long memory_trace(struct call *call)
{
    static char image[4096]; /* path of the image that is mapped next */
    uint8_t *p;
    size_t length = 0;
    const uint8_t *data = NULL;
    bool is_image = call->nr == SYS_mmap && trace_peek() == TRACE_IMAGE;
    if (is_image) {
        p = trace_take(TRACE_IMAGE);
        const uint8_t *path = trace_blob(&p, &length);
        text_copy(image, length + 1 < sizeof image ? length + 1 : sizeof image, (const char *)path);
        trace_int(&p);
        trace_int(&p);
        trace_blob(&p, &length);
        trace_done(p);
    }
    p = trace_take((int)call->nr);
    inputs_compare(call, &p);
    long recorded = trace_int(&p);
    bool worked = recorded >= 0 || recorded < -4095;
    if (worked && call->nr == SYS_mmap)
        data = trace_blob(&p, &length);
    trace_done(p);
    if (!worked)
        return recorded;
    long result = memory_again(call, recorded, is_image ? image : NULL, data, length);
    if (result != recorded)
        trace_failed("memory could not be laid out as recorded", (uint64_t)recorded, (uint64_t)result);
    return recorded;
}

long memory_call(struct call *call)
{
    return shim_world == WORLD_TRACE ? memory_trace(call) : memory_live(call);
}
