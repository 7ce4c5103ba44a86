#include "report/html.h"

#include <stdlib.h>

#include <zlib.h>

void html_base64(const uint8_t *data, size_t length, FILE *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)data[i] << 16 | (i + 1 < length ? (uint32_t)data[i + 1] << 8 : 0) | (i + 2 < length
                                                                                          ? data[i + 2] : 0);
        putc(digits[three >> 18], out);
        putc(digits[three >> 12 & 63], out);
        putc(i + 1 < length ? digits[three >> 6 & 63] : '=', out);
        putc(i + 2 < length ? digits[three & 63] : '=', out);
    }
}

bool html_pack(const void *data, size_t length, FILE *out)
{
    z_stream z = {.zalloc = Z_NULL};
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) /* + 16: gzip */
        return false;
    size_t bound = deflateBound(&z, length);
    uint8_t *packed = malloc(bound);
    if (packed) {
        z.next_in = (void *)data;
        z.avail_in = (uInt)length;
        z.next_out = packed;
        z.avail_out = (uInt)bound;
    }
    bool good = packed && length < UINT32_MAX && deflate(&z, Z_FINISH) == Z_STREAM_END;
    if (good)
        html_base64(packed, z.total_out, out);
    deflateEnd(&z);
    free(packed);
    return good;
}
