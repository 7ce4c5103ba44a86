/* Memory calls are executed in a replay too: the program must find the same bytes at the same addresses. What a mapped file
 * showed comes from the stream, but for programs and libraries (images): those are checked by build-id before the replay
 * and mapped again. mmap(2), elf(5). */
#include "shim/shim.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int mapping_fd = -1;   /* the kernel's, where the program's descriptor is a simulated one */
static bool mapping_is_image; /* of the mmap under way; the baton is held */

/* Files mapped shared: what the process writes to them otherwise shows in the mapping too (bbolt, LMDB do that). */
#define SHARED_MOST 64
static struct shared {
    dev_t device;
    ino_t inode;
    uintptr_t at;
    size_t length;
    long offset;
} shared[SHARED_MOST];
static unsigned shared_count;

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
    if (RAW(SYS_fstat, mapping_fd >= 0 ? mapping_fd : (int)call->arg[4], &st) || st.st_size <= call->arg[5])
        return 0;
    size_t left = (size_t)(st.st_size - call->arg[5]);
    return left < (size_t)call->arg[1] ? left : (size_t)call->arg[1];
}

static void shared_note(const struct call *call, long result)
{
    const long *a = call->arg;
    struct stat st;
    if (shared_count == SHARED_MOST || program_call(SYS_fstat, (int)a[4], (long)&st, 0, 0))
        return;
    shared[shared_count++] = (struct shared){st.st_dev, st.st_ino, (uintptr_t)result, (size_t)a[1], a[5]};
}

static void shared_forget(uintptr_t from, size_t length)
{
    for (unsigned i = shared_count; i-- > 0;)
        if (shared[i].at < from + length && from < shared[i].at + shared[i].length)
            shared[i] = shared[--shared_count];
}

static void shared_changed(const struct shared *m, long offset, long length)
{
    long from = offset > m->offset ? offset : m->offset;
    long to = offset + length < m->offset + (long)m->length ? offset + length : m->offset + (long)m->length;
    if (from >= to)
        return;
    const uint8_t *at = (const uint8_t *)m->at + (from - m->offset);
    uint8_t *p = stream_event(TRACE_MAPPED, 2, (size_t)(to - from));
    if (p)
        stream_publish(put_bytes(pack_int(p, (int64_t)(uintptr_t)at), at, (size_t)(to - from)));
}

void memory_file_written(const struct call *call, long result)
{
    struct stat st;
    bool placed = call->nr == SYS_pwrite64 || call->nr == SYS_pwritev;
    if (!shared_count || result <= 0 || program_call(SYS_fstat, (int)call->arg[0], (long)&st, 0, 0) || !S_ISREG(st.st_mode))
        return;
    long offset = placed ? call->arg[3] : program_call(SYS_lseek, (int)call->arg[0], 0, SEEK_CUR, 0) - result;
    for (unsigned i = 0; i < shared_count; i++)
        if (shared[i].device == st.st_dev && shared[i].inode == st.st_ino)
            shared_changed(&shared[i], offset, result);
}

static uintptr_t moved(uintptr_t recorded);

void memory_mapped_apply(uint8_t *fields)
{
    size_t length;
    uint8_t *at = (uint8_t *)moved((uintptr_t)trace_int(&fields));
    const uint8_t *data = trace_blob(&fields, &length);
    if (!data)
        return;
    /* the program may have it mapped for reading only: a second door to the same pages is not needed for anonymous ones */
    RAW(SYS_mprotect, (uintptr_t)at & ~4095ul, length + ((uintptr_t)at & 4095), PROT_READ | PROT_WRITE);
    memcpy(at, data, length);
}

bool memory_maps_file(const struct call *call)
{
    return call->nr == SYS_mmap && !(call->arg[3] & MAP_ANONYMOUS);
}

/* Where another build finds its file mappings: at the recorded place if nothing of its own lies there. */
static uintptr_t place_of(const struct call *call, uintptr_t recorded)
{
    if (call->arg[3] & MAP_FIXED)
        return (uintptr_t)call->arg[0];
    for (int i = 0; i < 2; i++) {
        long at = RAW(SYS_mmap, i ? 0 : recorded, call->arg[1], PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | (i ? 0 : MAP_FIXED_NOREPLACE), -1, 0);
        if (at >= 0 || at < -4095)
            return (uintptr_t)at;
    }
    return recorded;
}

/* For TRACE_MAPPED: `offset` is how far a mapping was moved. */
static void moved_note(const struct call *call, uintptr_t recorded, uintptr_t at)
{
    if (shared_count < SHARED_MOST)
        shared[shared_count++] = (struct shared){0, 0, recorded, (size_t)call->arg[1], (long)(at - recorded)};
}

static uintptr_t moved(uintptr_t recorded)
{
    for (unsigned i = shared_count; i-- > 0;)
        if (recorded >= shared[i].at && recorded - shared[i].at < shared[i].length)
            return recorded + (uintptr_t)shared[i].offset;
    return recorded;
}

/* What the program reads from the file it is about to map, as a file that the kernel can map. */
static long content_open(int fd)
{
    static uint8_t block[65536];
    long real = RAW(SYS_memfd_create, "drd", 1), n;
    for (long at = 0; real >= 0 && (n = program_call(SYS_pread64, fd, (long)block, sizeof block, at)) > 0; at += n)
        RAW(SYS_pwrite64, real, block, n, at);
    return real;
}

/* A simulated file has no descriptor of the kernel's: a file of the host that nobody changed is opened, so is the memory in which
 * the simulator keeps a file that is mapped shared; another one's content is copied. */
static long simulated_map(struct call *call)
{
    const long *a = call->arg;
    bool together = (a[3] & MAP_TYPE) != MAP_PRIVATE;
    long way = simulated_ask(MAIL_MAP, a[4], together, 0);
    long fd = way < 0 ? way : way ? content_open((int)a[4])
                            : RAW(SYS_open, simulated_text(), (together ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
    if (fd < 0) {
        live_note(call, fd);
        return fd;
    }
    struct call real = *call;
    real.arg[4] = fd;
    mapping_is_image = !way && !together && is_elf((int)fd);
    long result = RAW(SYS_mmap, a[0], a[1], a[2], real.arg[3], fd, a[5]);
    if (mapping_is_image && (result >= 0 || result < -4095))
        image_note(&real, result);
    if (together && (result >= 0 || result < -4095))
        shared_note(call, result);
    mapping_fd = (int)fd;
    live_note(call, result);
    mapping_fd = -1;
    RAW(SYS_close, fd);
    return result;
}

static long memory_live(struct call *call)
{
    const long *a = call->arg;
    if (simulated && call->nr == SYS_mmap && !(a[3] & MAP_ANONYMOUS))
        return simulated_map(call);
    bool file = call->nr == SYS_mmap && !(a[3] & MAP_ANONYMOUS);
    mapping_is_image = file && (a[3] & MAP_TYPE) == MAP_PRIVATE && is_elf((int)a[4]);
    long result = RAW(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    bool worked = result >= 0 || result < -4095;
    if (mapping_is_image && worked)
        image_note(call, result);
    if (worked && (call->nr == SYS_munmap || call->nr == SYS_mremap))
        shared_forget((uintptr_t)a[0], (size_t)a[1]);
    if (worked && call->nr == SYS_mmap && a[3] & MAP_FIXED)
        shared_forget((uintptr_t)result, (size_t)a[1]);
    if (worked && file && (a[3] & MAP_TYPE) != MAP_PRIVATE)
        shared_note(call, result);
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
    if (departure_watches()) {
        uintptr_t at = place_of(call, (uintptr_t)recorded);
        moved_note(call, (uintptr_t)recorded, at);
        recorded = (long)at;
    }
    long result = memory_again(call, recorded, is_image ? image : NULL, data, length);
    if (result != recorded)
        trace_failed("memory could not be laid out as recorded", (uint64_t)recorded, (uint64_t)result);
    return recorded;
}

long memory_call(struct call *call)
{
    return shim_world == WORLD_TRACE ? memory_trace(call) : memory_live(call);
}
