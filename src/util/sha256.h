/* SHA-256 (FIPS 180-4, https://csrc.nist.gov/pubs/fips/180-4/upd1/final): what names content that comes from elsewhere. The
 * XXH3 used for the rest of a run finds accidents; this one also finds intent, and sha256sum(1) checks it. */
#ifndef DRD_UTIL_SHA256_H
#define DRD_UTIL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_TEXT (2 * SHA256_SIZE + 1)

struct sha256 {
    uint32_t state[8];
    uint64_t length;   /* bytes so far */
    uint8_t block[64]; /* the last length % 64 of them */
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t length);
void sha256_end(struct sha256 *h, uint8_t out[SHA256_SIZE]);

/* All at once. */
void sha256_of(const void *data, size_t length, uint8_t out[SHA256_SIZE]);
/* Lower case hex. */
void sha256_text(const uint8_t digest[SHA256_SIZE], char out[SHA256_TEXT]);

#endif
