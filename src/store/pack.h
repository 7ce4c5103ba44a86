/* Files that travel in a run: the programs, libraries and symbols that its replay needs (docs/drd-pack.md).
 *
 * Table packed_file says which file stood where, packed_object holds each content once, by its SHA-256. In a run of the store
 * directory that was unpacked the contents are in objects/ beside runs/ instead, for all runs together. A pack comes from
 * somebody else: paths, sizes and contents are checked before anything is made of them. */
#ifndef DRD_STORE_PACK_H
#define DRD_STORE_PACK_H

#include "store/store.h"
#include "util/sha256.h"

#define PACK_FILES_MOST 65536
#define PACK_OBJECT_MAX (1ull << 30)  /* bytes of one file */
#define PACK_TOTAL_MAX (8ull << 30)   /* of all */
#define PACK_BUILD_ID 128             /* hex digits */

struct pack_file {
    char *path;         /* absolute, without "." and ".."; pack_files_free */
    bool executable;
    uint64_t size;
    uint8_t digest[SHA256_SIZE];
    char build_id[PACK_BUILD_ID + 1]; /* hex; "" if it has none */
};
void pack_files_free(struct pack_file *list, size_t count);

/* Could it be the path of a packed file? Absolute, no ".", ".." or empty component, no control characters, not below /proc. */
bool pack_path_good(const char *path);

/* --- making one --- */

/* A copy of the whole run file at `path`, which must not exist (0600), open for writing. */
struct store *pack_copy(struct store *from, const char *path, struct drd_error *e);
/* Make the tables, empty. Inside a transaction, as the next. */
bool pack_tables(struct store *s, struct drd_error *e);
/* Put the file that is open as `fd` in as `path`. `stored` gets the bytes that it takes, 0 if its content was there before. */
bool pack_add(struct store *s, const char *path, int fd, const char *build_id, uint64_t *stored, struct drd_error *e);

/* --- reading one --- */

/* All packed files, by path; none if the run is no pack. False: something about them is not as pack_add leaves it. */
bool pack_files(struct store *s, struct pack_file **out, size_t *count, struct drd_error *e);
/* Write the content of a file to `fd`, checked. Exits CANNOT where the content is not there, FATAL where it is damaged. */
bool pack_extract(struct store *s, const struct pack_file *file, int fd, struct drd_error *e);
/* The same for the file of this path, if it has this build-id: 1 written, 0 there is none, -1 error. */
int pack_extract_path(struct store *s, const char *path, const char *build_id, int fd, struct drd_error *e);

/* --- objects/ --- */

/* Move the contents out of a run of the store directory, to objects/ beside its runs/. */
bool pack_objects_out(struct store *s, uint64_t *bytes, struct drd_error *e);
/* Delete what no run of the store directory needs any more; *bytes gets what that freed. */
bool pack_objects_sweep(uint64_t *bytes, struct drd_error *e);

#endif
