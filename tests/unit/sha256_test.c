/* SHA-256 against the examples of FIPS 180-4's test vectors (NIST, "Secure Hash Standard" examples) and its own parts. */
#include <string.h>

#include "lib/check.h"
#include "util/sha256.h"

static void check_text(const char *text, const char *expected)
{
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_TEXT];
    sha256_of(text, strlen(text), digest);
    sha256_text(digest, hex);
    assert_string_equal(hex, expected);
}

static void known_answers(void **state)
{
    (void)state;
    check_text("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_text("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million(void **state)
{
    (void)state;
    struct sha256 h;
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_TEXT], piece[1000];
    memset(piece, 'a', sizeof piece);
    sha256_init(&h);
    for (int i = 0; i < 1000; i++)
        sha256_add(&h, piece, sizeof piece);
    sha256_end(&h, digest);
    sha256_text(digest, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However the bytes are cut, at all lengths around a block's. */
static void pieces(void **state)
{
    (void)state;
    uint8_t data[200], whole[SHA256_SIZE], parts[SHA256_SIZE];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t length = 0; length <= sizeof data; length++)
        for (size_t cut = 0; cut <= length; cut += 13) {
            struct sha256 h;
            sha256_init(&h);
            sha256_add(&h, data, cut);
            sha256_add(&h, data + cut, length - cut);
            sha256_end(&h, parts);
            sha256_of(data, length, whole);
            assert_memory_equal(parts, whole, sizeof whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers), cmocka_unit_test(a_million), cmocka_unit_test(pieces) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
