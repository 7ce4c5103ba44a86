#include "store/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/objects.h"

#define LEVEL 9          /* of zstd: packs are made once and carried about */
#define PIECE (1u << 17) /* bytes written at a time */

static const char tables[] =
    "DROP TABLE IF EXISTS packed_file; DROP TABLE IF EXISTS packed_object;"
    "CREATE TABLE packed_file(path TEXT PRIMARY KEY, executable INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL,"
    " build_id TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE packed_object(digest BLOB PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL);";

void pack_files_free(struct pack_file *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].path);
    free(list);
}

bool pack_path_good(const char *path)
{
    if (*path != '/' || strlen(path) >= PATH_MAX || !strncmp(path, "/proc/", 6))
        return false;
    for (const char *p = path; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    while (*path) {
        size_t length = strcspn(++path, "/");
        if (!length || (length == 1 && *path == '.') || (length == 2 && !memcmp(path, "..", 2)))
            return false;
        path += length;
    }
    return true;
}

/* ---- making one ---- */

bool pack_write(int fd, const void *data, size_t length)
{
    for (const uint8_t *p = data; length;) {
        ssize_t n = write(fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
    }
    return true;
}

/* Its bytes as they are: SQLite keeps everybody from writing while somebody reads. */
static bool copy_bytes(struct store *from, const char *path, int fd, struct drd_error *e)
{
    uint8_t *piece = malloc(PIECE);
    off_t at = 0;
    ssize_t n = -1;
    if (!piece)
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    while ((n = pread(from->lock_fd, piece, PIECE, at)) > 0 && pack_write(fd, piece, (size_t)n))
        at += n;
    bool ok = n == 0 || error_set_errno(e, DRD_EXIT_FATAL, "%s", n < 0 ? from->path : path);
    free(piece);
    return ok;
}

struct store *pack_copy(struct store *from, const char *path, struct drd_error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(e, DRD_EXIT_FATAL, "%s", path), NULL;
    bool ok = store_execute(from, "BEGIN; SELECT count(*) FROM fact ORDER BY 1", e) && copy_bytes(from, path, fd, e);
    if (!sqlite3_get_autocommit(from->db))
        sqlite3_exec(from->db, "COMMIT", NULL, NULL, NULL);
    if (close(fd) && ok)
        ok = error_set_errno(e, DRD_EXIT_FATAL, "%s", path);
    struct store *s = ok ? store_open(path, STORE_WRITE, e) : NULL;
    if (!s)
        unlink(path);
    return s;
}

bool pack_tables(struct store *s, struct drd_error *e)
{
    return store_execute(s, tables, e);
}

static sqlite3_stmt *prepare(struct store *s, const char *sql, struct drd_error *e)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK)
        return st;
    store_failed(s, e);
    return NULL;
}

/* 1: done, with a row (SELECT); 0: done; -1: error. */
static int step(struct store *s, sqlite3_stmt *st, struct drd_error *e)
{
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return rc == SQLITE_ROW;
    return store_failed(s, e) - 1;
}

static int object_exists(struct store *s, const uint8_t *digest, struct drd_error *e)
{
    sqlite3_stmt *st = prepare(s, "SELECT 1 FROM packed_object WHERE digest = ?1", e);
    if (!st)
        return -1;
    sqlite3_bind_blob(st, 1, digest, SHA256_SIZE, SQLITE_STATIC);
    int found = step(s, st, e);
    sqlite3_finalize(st);
    return found;
}

static bool object_put(struct store *s, const uint8_t *digest, const void *data, size_t size, uint64_t *stored, struct drd_error *e)
{
    struct buffer *packed = &s->packed;
    if (!s->compressor && !(s->compressor = ZSTD_createCCtx()))
        return error_set(e, DRD_EXIT_FATAL, "out of memory");
    if (!buffer_reserve(packed, ZSTD_compressBound(size), e))
        return false;
    size_t n = ZSTD_compressCCtx(s->compressor, packed->data, packed->capacity, data, size, LEVEL);
    if (ZSTD_isError(n))
        return error_set(e, DRD_EXIT_FATAL, "%s: zstd: %s", s->path, ZSTD_getErrorName(n));
    sqlite3_stmt *st = prepare(s, "INSERT INTO packed_object VALUES(?1, ?2, ?3)", e);
    if (!st)
        return false;
    sqlite3_bind_blob(st, 1, digest, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)size);
    sqlite3_bind_blob64(st, 3, packed->data, n, SQLITE_STATIC);
    bool ok = step(s, st, e) == 0;
    sqlite3_finalize(st);
    *stored = n;
    return ok;
}

static bool file_put(struct store *s, const char *path, bool executable, size_t size, const uint8_t *digest, const char *build_id,
                     struct drd_error *e)
{
    sqlite3_stmt *st = prepare(s, "INSERT OR IGNORE INTO packed_file VALUES(?1, ?2, ?3, ?4, ?5)", e);
    if (!st)
        return false;
    sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 2, executable);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)size);
    sqlite3_bind_blob(st, 4, digest, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_text(st, 5, build_id, -1, SQLITE_STATIC);
    bool ok = step(s, st, e) == 0;
    sqlite3_finalize(st);
    return ok;
}

bool pack_add(struct store *s, const char *path, int fd, const char *build_id, uint64_t *stored, struct drd_error *e)
{
    struct stat file;
    uint8_t digest[SHA256_SIZE];
    *stored = 0;
    if (!pack_path_good(path))
        return error_set(e, DRD_EXIT_CANNOT, "%s: not a path that can be packed", path);
    if (fstat(fd, &file) || !S_ISREG(file.st_mode))
        return error_set(e, DRD_EXIT_CANNOT, "%s: not a regular file", path);
    if ((uint64_t)file.st_size > PACK_OBJECT_MAX)
        return error_set(e, DRD_EXIT_CANNOT, "%s: larger than %llu bytes", path, PACK_OBJECT_MAX);
    size_t size = (size_t)file.st_size;
    void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (data == MAP_FAILED)
        return error_set_errno(e, DRD_EXIT_CANNOT, "%s", path);
    sha256_of(data, size, digest);
    int exists = object_exists(s, digest, e);
    bool ok = exists >= 0 && (exists || object_put(s, digest, data, size, stored, e)) &&
              file_put(s, path, file.st_mode & 0111, size, digest, build_id, e);
    if (size)
        munmap(data, size);
    return ok;
}

/* ---- reading one ---- */

/* A view of that name, in a file that somebody made, could compute for ever. */
int pack_is_table(struct store *s, const char *name, struct drd_error *e)
{
    sqlite3_stmt *st = prepare(s, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND name = ?1", e);
    if (!st)
        return -1;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    int found = step(s, st, e);
    sqlite3_finalize(st);
    return found;
}

static bool is_hex(const char *text)
{
    return strlen(text) <= PACK_BUILD_ID && !text[strspn(text, "0123456789abcdef")];
}

/* path, executable, size, digest, build_id */
static bool file_read(struct store *s, sqlite3_stmt *st, struct pack_file *f, struct drd_error *e)
{
    const char *path = (const char *)sqlite3_column_text(st, 0), *id = (const char *)sqlite3_column_text(st, 4);
    const void *digest = sqlite3_column_blob(st, 3);
    sqlite3_int64 size = sqlite3_column_int64(st, 2);
    if (!path || strlen(path) != (size_t)sqlite3_column_bytes(st, 0) || !pack_path_good(path))
        return error_set(e, DRD_EXIT_FATAL, "%s: refused: it has a packed file whose path is none of a packed file", s->path);
    if (!digest || sqlite3_column_bytes(st, 3) != SHA256_SIZE || size < 0 || (uint64_t)size > PACK_OBJECT_MAX || !id || !is_hex(id))
        return error_set(e, DRD_EXIT_FATAL, "%s: damaged: the packed file %.200s is not described as one", s->path, path);
    *f = (struct pack_file){ .path = strdup(path), .executable = sqlite3_column_int(st, 1) != 0, .size = (uint64_t)size };
    memcpy(f->digest, digest, SHA256_SIZE);
    snprintf(f->build_id, sizeof f->build_id, "%s", id);
    return f->path || error_set(e, DRD_EXIT_FATAL, "out of memory");
}

static bool files_read(struct store *s, sqlite3_stmt *st, struct pack_file **list, size_t *count, struct drd_error *e)
{
    uint64_t total = 0;
    int more;
    while ((more = step(s, st, e)) > 0) {
        struct pack_file *grown = realloc(*list, (*count + 1) * sizeof *grown);
        if (!grown)
            return error_set(e, DRD_EXIT_FATAL, "out of memory");
        *list = grown;
        if (!file_read(s, st, &grown[*count], e))
            return false;
        total += grown[(*count)++].size;
        if (*count > PACK_FILES_MOST || total > PACK_TOTAL_MAX)
            return error_set(e, DRD_EXIT_FATAL, "%s: refused: its packed files are too many or too large (limits: %d, %llu bytes)",
                             s->path, PACK_FILES_MOST, PACK_TOTAL_MAX);
    }
    return more == 0;
}

#define FILE_COLUMNS "path, executable, size, digest, build_id"

bool pack_files(struct store *s, struct pack_file **out, size_t *count, struct drd_error *e)
{
    *out = NULL;
    *count = 0;
    int there = pack_is_table(s, "packed_file", e);
    if (there <= 0)
        return there == 0;
    sqlite3_stmt *st = prepare(s, "SELECT " FILE_COLUMNS " FROM packed_file ORDER BY path", e);
    bool ok = st && files_read(s, st, out, count, e);
    sqlite3_finalize(st);
    if (ok)
        return true;
    pack_files_free(*out, *count);
    *out = NULL;
    *count = 0;
    return false;
}

static bool damaged(struct store *s, const struct pack_file *f, struct drd_error *e)
{
    return error_set(e, DRD_EXIT_FATAL, "%s: damaged: the packed file %.200s does not fit its digest", s->path, f->path);
}

static bool write_failed(const struct pack_file *f, struct drd_error *e)
{
    return error_set_errno(e, DRD_EXIT_CANNOT, "cannot put the packed file %.200s into place", f->path);
}

/* Expand piece by piece: what it expands to is believed up to the size that it should have. */
static bool expand_object(struct store *s, const struct pack_file *f, const void *data, size_t size, int fd, struct drd_error *e)
{
    ZSTD_DCtx *expander = ZSTD_createDCtx();
    uint8_t *piece = malloc(PIECE), digest[SHA256_SIZE];
    struct sha256 hash;
    uint64_t total = 0;
    ZSTD_inBuffer in = { data, size, 0 };
    size_t left = 1;
    bool ok = (expander && piece) || error_set(e, DRD_EXIT_FATAL, "out of memory");
    sha256_init(&hash);
    while (ok && left) {
        ZSTD_outBuffer out = { piece, PIECE, 0 };
        left = ZSTD_decompressStream(expander, &out, &in);
        total += out.pos;
        if (ZSTD_isError(left) || total > f->size || (left && !out.pos && in.pos == in.size))
            ok = damaged(s, f, e);
        else if (!pack_write(fd, piece, out.pos))
            ok = write_failed(f, e);
        sha256_add(&hash, piece, out.pos);
    }
    sha256_end(&hash, digest);
    ZSTD_freeDCtx(expander);
    free(piece);
    return ok && ((total == f->size && !memcmp(digest, f->digest, sizeof digest)) || damaged(s, f, e));
}

/* From objects/, where drd unpack put it. */
static bool copy_object(struct store *s, const struct pack_file *f, int fd, struct drd_error *e)
{
    uint8_t *piece = malloc(PIECE), digest[SHA256_SIZE];
    struct sha256 hash;
    ssize_t n = -1;
    int from = objects_open(s->path, f->digest);
    if (from < 0) {
        free(piece);
        return error_set(e, DRD_EXIT_CANNOT, "%s: the packed file %.200s is not there: drd unpack its pack once more", s->path, f->path);
    }
    bool ok = piece || error_set(e, DRD_EXIT_FATAL, "out of memory");
    sha256_init(&hash);
    while (ok && (n = read(from, piece, PIECE)) > 0) {
        sha256_add(&hash, piece, (size_t)n);
        ok = pack_write(fd, piece, (size_t)n) || write_failed(f, e);
    }
    sha256_end(&hash, digest);
    close(from);
    free(piece);
    return ok && ((n == 0 && !memcmp(digest, f->digest, sizeof digest)) || damaged(s, f, e));
}

bool pack_extract(struct store *s, const struct pack_file *f, int fd, struct drd_error *e)
{
    int there = pack_is_table(s, "packed_object", e);
    if (there < 0)
        return false;
    sqlite3_stmt *st = there ? prepare(s, "SELECT data FROM packed_object WHERE digest = ?1", e) : NULL;
    if (there && !st)
        return false;
    if (st)
        sqlite3_bind_blob(st, 1, f->digest, SHA256_SIZE, SQLITE_STATIC);
    int found = st ? step(s, st, e) : 0;
    bool ok = found >= 0;
    if (found > 0)
        ok = expand_object(s, f, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), fd, e);
    else if (found == 0)
        ok = copy_object(s, f, fd, e);
    sqlite3_finalize(st);
    return ok;
}

int pack_extract_path(struct store *s, const char *path, const char *build_id, int fd, struct drd_error *e)
{
    struct pack_file f = { 0 };
    int found = pack_is_table(s, "packed_file", e);
    if (found <= 0)
        return found;
    sqlite3_stmt *st = prepare(s, "SELECT " FILE_COLUMNS " FROM packed_file WHERE path = ?1 AND build_id = ?2", e);
    if (!st)
        return -1;
    sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, build_id, -1, SQLITE_STATIC);
    found = step(s, st, e);
    if (found > 0 && (!file_read(s, st, &f, e) || !pack_extract(s, &f, fd, e)))
        found = -1;
    free(f.path);
    sqlite3_finalize(st);
    return found;
}
