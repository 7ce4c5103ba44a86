/* What was found out about a run, kept for the next time.
 *
 * A file for each run and build of drd: rules change, so nothing that another build found is used. It has two names: by
 * path, size and time of change, which cost one stat; and by the content of the streams, which are never rewritten: a
 * run that came back as an artifact, or got its derived rows made anew, is known by that. */
#include "report/triage.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/store.h"

struct entry {
    uint64_t checksum; /* of what follows */
    uint32_t size;
    struct triage_result result;
};

/* --- this build --- */

static int find_build_id(struct dl_phdr_info *info, size_t size, void *out)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type == PT_NOTE)
            XXH3_64bits_update(out, (const void *)(info->dlpi_addr + h->p_vaddr), h->p_memsz);
    }
    return 1; /* the first is the program itself */
}

/* The build-id stands in a note of the program. */
static uint64_t build_hash(void)
{
    static uint64_t hash;
    XXH3_state_t *state = hash ? NULL : XXH3_createState();
    if (!state)
        return hash;
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, DRD_VERSION, sizeof DRD_VERSION);
    dl_iterate_phdr(find_build_id, state);
    hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash;
}

static void key_text(char out[64], char how, XXH128_hash_t h)
{
    snprintf(out, 64, "%c-%016lx%016lx-%016lx", how, (unsigned long)h.high64, (unsigned long)h.low64,
             (unsigned long)build_hash());
}

/* --- keys --- */

void triage_key_fast(struct triage_key *key, const char *path)
{
    struct stat st;
    char text[PATH_MAX + 128];
    memset(key, 0, sizeof *key);
    if (stat(path, &st))
        return;
    snprintf(text, sizeof text, "%s %lu %ld.%09ld", path, (unsigned long)st.st_size, (long)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
    key_text(key->fast, 'p', XXH3_128bits(text, strlen(text)));
}

static bool hash_rows(struct sqlite3 *db, const char *sql, XXH3_state_t *state)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const unsigned char *text = sqlite3_column_text(st, i);
            if (text)
                XXH3_128bits_update(state, text, strlen((const char *)text) + 1);
        }
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE;
}

/* Chunks are told by the checksums that stand beside them. */
bool triage_key_content(struct triage_key *key, const char *path)
{
    struct store *s = store_open(path, STORE_READ, NULL);
    XXH3_state_t *state = s ? XXH3_createState() : NULL;
    bool good = state != NULL;
    if (good) {
        struct sqlite3 *db = store_database(s);
        XXH3_128bits_reset(state);
        good = hash_rows(db, "SELECT key, value FROM fact WHERE key != 'index_version' ORDER BY key", state) &&
               hash_rows(db, "SELECT number, pid, node, incarnation, start_time, end_time, status, events, complete"
                             " FROM process ORDER BY number", state) &&
               hash_rows(db, "SELECT process, first, records, checksum FROM chunk ORDER BY process, first", state);
    }
    if (good)
        key_text(key->content, 'c', XXH3_128bits_digest(state));
    XXH3_freeState(state);
    store_close(s);
    return good;
}

/* --- entries --- */

static bool entry_path(const char *cache, const char *key, char out[PATH_MAX])
{
    return *key && snprintf(out, PATH_MAX, "%s/%s", cache, key) < PATH_MAX;
}

static void terminate(struct triage_result *r)
{
#define END(member) r->member[sizeof r->member - 1] = '\0'
    END(fingerprint);
    END(fingerprint_text);
    END(title);
    END(story);
    END(cause);
    END(reference);
    END(location);
    END(proof);
    END(node);
    END(event);
    END(note);
    END(started);
    END(command);
    END(commit);
#undef END
}

/* Once a day will do: it is only asked what was not of use for weeks. An entry of others stays as it is. */
static void note_use(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && time(NULL) - st.st_mtim.tv_sec > 24 * 60 * 60)
        futimens(fd, NULL);
}

/* An entry that is not whole, or not one, is none. */
static bool entry_read(const char *path, struct triage_result *out)
{
    struct entry in;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = read(fd, &in, sizeof in) == (ssize_t)sizeof in && in.size == sizeof in &&
                in.checksum == XXH3_64bits(&in.result, sizeof in.result) && (unsigned)in.result.kind < TRIAGE_KINDS;
    if (good)
        note_use(fd);
    close(fd);
    if (!good)
        return false;
    *out = in.result;
    terminate(out);
    return true;
}

/* Where the second name cannot be made, the content is looked at next time too. */
static void name_twice(const char *cache, const struct triage_key *key)
{
    char file[PATH_MAX], fast[PATH_MAX];
    if (entry_path(cache, key->content, file) && entry_path(cache, key->fast, fast)) {
        unlink(fast);
        (void)!link(file, fast);
    }
}

bool triage_cache_get(const char *cache, struct triage_key *key, const char *path, bool content, struct triage_result *out)
{
    char file[PATH_MAX];
    if (!content)
        return entry_path(cache, key->fast, file) && entry_read(file, out);
    if (!triage_key_content(key, path) || !entry_path(cache, key->content, file) || !entry_read(file, out))
        return false;
    name_twice(cache, key);
    return true;
}

static bool make_directories(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(part, 0700);
        *p = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST;
}

/* Written beside its place and renamed: a reader never sees a part. */
static bool entry_write(const char *cache, const char *path, const struct entry *entry)
{
    char draft[PATH_MAX];
    if (!make_directories(cache) || snprintf(draft, sizeof draft, "%s/draft-XXXXXX", cache) >= (int)sizeof draft)
        return false;
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = write(fd, entry, sizeof *entry) == (ssize_t)sizeof *entry;
    good = close(fd) == 0 && good && rename(draft, path) == 0;
    if (!good)
        unlink(draft);
    return good;
}

/* A cache that cannot be written costs time, nothing else. */
void triage_cache_put(const char *cache, const struct triage_key *key, const struct triage_result *result)
{
    char file[PATH_MAX];
    struct entry entry;
    memset(&entry, 0, sizeof entry); /* padding is hashed too */
    entry.size = sizeof entry;
    memcpy(&entry.result, result, sizeof *result);
    entry.checksum = XXH3_64bits(&entry.result, sizeof entry.result);
    if (entry_path(cache, key->content, file) && entry_write(cache, file, &entry))
        name_twice(cache, key);
}

bool triage_cache_default(char out[PATH_MAX])
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return snprintf(out, PATH_MAX, "%s/drd/triage", xdg) < PATH_MAX;
    return home && *home == '/' && snprintf(out, PATH_MAX, "%s/.cache/drd/triage", home) < PATH_MAX;
}
