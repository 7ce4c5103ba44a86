/* The pickle reader on what Python wrote, and on what nobody should. */
#include "protocol/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

struct sample {
    const char *data;
    size_t length;
};
#define BYTES(literal) {literal, sizeof(literal) - 1}

/* pickle.dumps(v, protocol) of Python 3.11 for protocols 0 to 5, with v =
 * {'none': None, 'yes': True, 'no': False, 'small': 7, 'neg': -300, 'big': 2**40 + 1, 'huge': 2**63 + 5, 'vast': 2**80,
 *  'real': 1.5, 'bytes': b'\x00\xe9z', 'empty': b'', 'text': 'grün €\n', 'tuple': (1,), 'four': (1, 2, 3, 4),
 *  'list': [1, [2]], 'dict': {'k': 'v'}} */
static const struct sample everything[] = {
    BYTES("(dp0\x0aVnone\x0ap1\x0aNsVyes\x0ap2\x0aI01\x0asVno\x0ap3\x0aI00\x0asVsmall\x0ap4\x0aI7\x0asVneg\x0a"
          "p5\x0aI-300\x0asVbig\x0ap6\x0aL1099511627777L\x0asVhuge\x0ap7\x0aL9223372036854775813L\x0asVvast"
          "\x0ap8\x0aL1208925819614629174706176L\x0asVreal\x0ap9\x0a" "F1.5\x0asVbytes\x0ap10\x0a" "c_codecs"
          "\x0a" "encode\x0ap11\x0a(V\x5cu0000\xe9z\x0ap12\x0aVlatin1\x0ap13\x0atp14\x0aRp15\x0asVempty\x0ap16"
          "\x0a" "c__builtin__\x0a" "bytes\x0ap17\x0a(tRp18\x0asVtext\x0ap19\x0aVgr\xfcn \x5cu20ac\x5cu000a"
          "\x0ap20\x0asVtuple\x0ap21\x0a(I1\x0atp22\x0asVfour\x0ap23\x0a(I1\x0aI2\x0aI3\x0aI4\x0atp24\x0asVlis"
          "t\x0ap25\x0a(lp26\x0aI1\x0a" "a(lp27\x0aI2\x0a" "aasVdict\x0ap28\x0a(dp29\x0aVk\x0ap30\x0aVv\x0ap31"
          "\x0ass."),
    BYTES("}q\x00(X\x04\x00\x00\x00noneq\x01NX\x03\x00\x00\x00yesq\x02I01\x0aX\x02\x00\x00\x00noq\x03I00\x0aX"
          "\x05\x00\x00\x00smallq\x04K\x07X\x03\x00\x00\x00negq\x05J\xd4\xfe\xff\xffX\x03\x00\x00\x00" "bigq"
          "\x06L1099511627777L\x0aX\x04\x00\x00\x00hugeq\x07L9223372036854775813L\x0aX\x04\x00\x00\x00vastq"
          "\x08L1208925819614629174706176L\x0aX\x04\x00\x00\x00realq\x09G\x3f\xf8\x00\x00\x00\x00\x00\x00X\x05"
          "\x00\x00\x00" "bytesq\x0a" "c_codecs\x0a" "encode\x0aq\x0b(X\x04\x00\x00\x00\x00\xc3\xa9zq\x0cX\x06"
          "\x00\x00\x00latin1q\x0dtq\x0eRq\x0fX\x05\x00\x00\x00" "emptyq\x10" "c__builtin__\x0a" "bytes\x0aq"
          "\x11)Rq\x12X\x04\x00\x00\x00textq\x13X\x0a\x00\x00\x00gr\xc3\xbcn \xe2\x82\xac\x0aq\x14X\x05\x00"
          "\x00\x00tupleq\x15(K\x01tq\x16X\x04\x00\x00\x00" "fourq\x17(K\x01K\x02K\x03K\x04tq\x18X\x04\x00\x00"
          "\x00listq\x19]q\x1a(K\x01]q\x1bK\x02" "aeX\x04\x00\x00\x00" "dictq\x1c}q\x1dX\x01\x00\x00\x00kq\x1e"
          "X\x01\x00\x00\x00vq\x1fsu."),
    BYTES("\x80\x02}q\x00(X\x04\x00\x00\x00noneq\x01NX\x03\x00\x00\x00yesq\x02\x88X\x02\x00\x00\x00noq\x03\x89"
          "X\x05\x00\x00\x00smallq\x04K\x07X\x03\x00\x00\x00negq\x05J\xd4\xfe\xff\xffX\x03\x00\x00\x00" "bigq"
          "\x06\x8a\x06\x01\x00\x00\x00\x00\x01X\x04\x00\x00\x00hugeq\x07\x8a\x09\x05\x00\x00\x00\x00\x00\x00"
          "\x80\x00X\x04\x00\x00\x00vastq\x08\x8a\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01X\x04\x00\x00"
          "\x00realq\x09G\x3f\xf8\x00\x00\x00\x00\x00\x00X\x05\x00\x00\x00" "bytesq\x0a" "c_codecs\x0a" "encod"
          "e\x0aq\x0bX\x04\x00\x00\x00\x00\xc3\xa9zq\x0cX\x06\x00\x00\x00latin1q\x0d\x86q\x0eRq\x0fX\x05\x00"
          "\x00\x00" "emptyq\x10" "c__builtin__\x0a" "bytes\x0aq\x11)Rq\x12X\x04\x00\x00\x00textq\x13X\x0a\x00"
          "\x00\x00gr\xc3\xbcn \xe2\x82\xac\x0aq\x14X\x05\x00\x00\x00tupleq\x15K\x01\x85q\x16X\x04\x00\x00\x00"
          "fourq\x17(K\x01K\x02K\x03K\x04tq\x18X\x04\x00\x00\x00listq\x19]q\x1a(K\x01]q\x1bK\x02" "aeX\x04\x00"
          "\x00\x00" "dictq\x1c}q\x1dX\x01\x00\x00\x00kq\x1eX\x01\x00\x00\x00vq\x1fsu."),
    BYTES("\x80\x03}q\x00(X\x04\x00\x00\x00noneq\x01NX\x03\x00\x00\x00yesq\x02\x88X\x02\x00\x00\x00noq\x03\x89"
          "X\x05\x00\x00\x00smallq\x04K\x07X\x03\x00\x00\x00negq\x05J\xd4\xfe\xff\xffX\x03\x00\x00\x00" "bigq"
          "\x06\x8a\x06\x01\x00\x00\x00\x00\x01X\x04\x00\x00\x00hugeq\x07\x8a\x09\x05\x00\x00\x00\x00\x00\x00"
          "\x80\x00X\x04\x00\x00\x00vastq\x08\x8a\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01X\x04\x00\x00"
          "\x00realq\x09G\x3f\xf8\x00\x00\x00\x00\x00\x00X\x05\x00\x00\x00" "bytesq\x0a" "C\x03\x00\xe9zq\x0bX"
          "\x05\x00\x00\x00" "emptyq\x0c" "C\x00q\x0dX\x04\x00\x00\x00textq\x0eX\x0a\x00\x00\x00gr\xc3\xbcn "
          "\xe2\x82\xac\x0aq\x0fX\x05\x00\x00\x00tupleq\x10K\x01\x85q\x11X\x04\x00\x00\x00" "fourq\x12(K\x01K"
          "\x02K\x03K\x04tq\x13X\x04\x00\x00\x00listq\x14]q\x15(K\x01]q\x16K\x02" "aeX\x04\x00\x00\x00" "dictq"
          "\x17}q\x18X\x01\x00\x00\x00kq\x19X\x01\x00\x00\x00vq\x1asu."),
    BYTES("\x80\x04\x95\xe2\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04none\x94N\x8c\x03yes\x94\x88\x8c\x02no"
          "\x94\x89\x8c\x05small\x94K\x07\x8c\x03neg\x94J\xd4\xfe\xff\xff\x8c\x03" "big\x94\x8a\x06\x01\x00"
          "\x00\x00\x00\x01\x8c\x04huge\x94\x8a\x09\x05\x00\x00\x00\x00\x00\x00\x80\x00\x8c\x04vast\x94\x8a"
          "\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x8c\x04real\x94G\x3f\xf8\x00\x00\x00\x00\x00\x00"
          "\x8c\x05" "bytes\x94" "C\x03\x00\xe9z\x94\x8c\x05" "empty\x94" "C\x00\x94\x8c\x04text\x94\x8c\x0agr"
          "\xc3\xbcn \xe2\x82\xac\x0a\x94\x8c\x05tuple\x94K\x01\x85\x94\x8c\x04" "four\x94(K\x01K\x02K\x03K"
          "\x04t\x94\x8c\x04list\x94]\x94(K\x01]\x94K\x02" "ae\x8c\x04" "dict\x94}\x94\x8c\x01k\x94\x8c\x01v"
          "\x94su."),
    BYTES("\x80\x05\x95\xe2\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04none\x94N\x8c\x03yes\x94\x88\x8c\x02no"
          "\x94\x89\x8c\x05small\x94K\x07\x8c\x03neg\x94J\xd4\xfe\xff\xff\x8c\x03" "big\x94\x8a\x06\x01\x00"
          "\x00\x00\x00\x01\x8c\x04huge\x94\x8a\x09\x05\x00\x00\x00\x00\x00\x00\x80\x00\x8c\x04vast\x94\x8a"
          "\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x8c\x04real\x94G\x3f\xf8\x00\x00\x00\x00\x00\x00"
          "\x8c\x05" "bytes\x94" "C\x03\x00\xe9z\x94\x8c\x05" "empty\x94" "C\x00\x94\x8c\x04text\x94\x8c\x0agr"
          "\xc3\xbcn \xe2\x82\xac\x0a\x94\x8c\x05tuple\x94K\x01\x85\x94\x8c\x04" "four\x94(K\x01K\x02K\x03K"
          "\x04t\x94\x8c\x04list\x94]\x94(K\x01]\x94K\x02" "ae\x8c\x04" "dict\x94}\x94\x8c\x01k\x94\x8c\x01v"
          "\x94su."),
};

static struct pickle *read_sample(struct sample s)
{
    return pickle_read((const uint8_t *)s.data, s.length);
}

static void same_bytes(const struct pickle_value *v, enum pickle_kind kind, const char *wanted, size_t length)
{
    assert_non_null(v);
    assert_int_equal(v->kind, kind);
    assert_int_equal(v->bytes.length, length);
    assert_memory_equal(v->bytes.data, wanted, length);
}

static void same_number(const struct pickle_value *v, int64_t wanted)
{
    assert_non_null(v);
    assert_int_equal(v->kind, PICKLE_INT);
    assert_true(v->number == wanted);
}

static void check_scalars(const struct pickle_value *v, int protocol)
{
    uint64_t number = 0;
    assert_int_equal(pickle_get(v, "none")->kind, PICKLE_NONE);
    assert_true(pickle_is_true(pickle_get(v, "yes")));
    assert_int_equal(pickle_get(v, "no")->kind, PICKLE_BOOL);
    assert_false(pickle_is_true(pickle_get(v, "no")));
    same_number(pickle_get(v, "small"), 7);
    same_number(pickle_get(v, "neg"), -300);
    same_number(pickle_get(v, "big"), (1ll << 40) + 1);
    assert_false(pickle_number(pickle_get(v, "neg"), &number));
    assert_int_equal(pickle_get(v, "huge")->kind, PICKLE_LONG);
    assert_int_equal(pickle_get(v, "vast")->kind, PICKLE_LONG);
    assert_int_equal(pickle_number(pickle_get(v, "huge"), &number), protocol >= 2);
    assert_true(protocol < 2 || number == (1ull << 63) + 5);
    assert_false(pickle_number(pickle_get(v, "vast"), &number));
    assert_int_equal(pickle_get(v, "real")->kind, PICKLE_FLOAT);
    assert_true(pickle_get(v, "real")->real == 1.5);
}

static void check_strings(const struct pickle_value *v)
{
    same_bytes(pickle_get(v, "bytes"), PICKLE_BYTES, "\x00\xe9z", 3);
    same_bytes(pickle_get(v, "empty"), PICKLE_BYTES, "", 0);
    same_bytes(pickle_get(v, "text"), PICKLE_TEXT, "gr\xc3\xbcn \xe2\x82\xac\n", 10);
}

static void check_containers(const struct pickle_value *v)
{
    const struct pickle_value *four = pickle_get(v, "four"), *list = pickle_get(v, "list");
    assert_int_equal(pickle_get(v, "tuple")->kind, PICKLE_TUPLE);
    assert_int_equal(pickle_get(v, "tuple")->items.count, 1);
    assert_int_equal(four->items.count, 4);
    for (int i = 0; i < 4; i++)
        same_number(pickle_item(four, (size_t)i), i + 1);
    assert_null(pickle_item(four, 4));
    assert_int_equal(list->kind, PICKLE_LIST);
    same_number(pickle_item(pickle_item(list, 1), 0), 2);
    assert_true(pickle_is_text(pickle_get(pickle_get(v, "dict"), "k"), "v"));
    assert_null(pickle_get(v, "other"));
}

static void reads_all_protocols(void **state)
{
    (void)state;
    for (int protocol = 0; protocol < 6; protocol++) {
        struct pickle *p = read_sample(everything[protocol]);
        const struct pickle_value *v = pickle_root(p);
        assert_non_null(v);
        assert_int_equal(v->kind, PICKLE_DICT);
        assert_int_equal(v->items.count, 32);
        check_scalars(v, protocol);
        check_strings(v);
        check_containers(v);
        pickle_free(p);
    }
}

/* Each of them cut short anywhere is none, and no bit of it makes the reader leave its bounds (the sanitizers say). */
static void takes_no_parts(void **state)
{
    (void)state;
    for (int protocol = 0; protocol < 6; protocol++) {
        struct sample s = everything[protocol];
        for (size_t n = 0; n < s.length; n++) {
            uint8_t *part = malloc(n ? n : 1);
            memcpy(part, s.data, n);
            assert_null(pickle_read(part, n));
            free(part);
        }
        uint8_t *copy = malloc(s.length);
        for (size_t bit = 0; bit < 8 * s.length; bit++) {
            char text[100];
            memcpy(copy, s.data, s.length);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct pickle *p = pickle_read(copy, s.length);
            if (p)
                pickle_print(pickle_root(p), text, sizeof text);
            pickle_free(p);
        }
        free(copy);
    }
}

/* Python 2: 'a\n\x01\'', u'\u20ac'; an instance of a class of its own; a persistent id. */
static void reads_old_forms(void **state)
{
    static const struct sample samples[] = {
        BYTES("(S'a\\n\\x01\\''\nV\\u20ac\nI-5\nL12L\nF2.5\ntp0\n."), BYTES("(lp0\n(iones\nThing\np1\n(dp2\nS'x'\nI1\nsba."),
        BYTES("(Pid\nU\x03" "abctp0\n."),
    };
    (void)state;
    struct pickle *p = read_sample(samples[0]);
    const struct pickle_value *v = pickle_root(p);
    same_bytes(pickle_item(v, 0), PICKLE_BYTES, "a\n\x01'", 4);
    same_bytes(pickle_item(v, 1), PICKLE_TEXT, "\xe2\x82\xac", 3);
    same_number(pickle_item(v, 2), -5);
    same_number(pickle_item(v, 3), 12);
    assert_true(pickle_item(v, 4)->real == 2.5);
    pickle_free(p);
    p = read_sample(samples[1]);
    v = pickle_item(pickle_root(p), 0);
    assert_int_equal(v->kind, PICKLE_OBJECT);
    same_bytes(pickle_item(v, 0), PICKLE_GLOBAL, "ones Thing", 10);
    same_number(pickle_get(pickle_item(v, 2), "x"), 1);
    pickle_free(p);
    p = read_sample(samples[2]);
    assert_int_equal(pickle_item(pickle_root(p), 0)->kind, PICKLE_OBJECT);
    assert_true(pickle_is_text(pickle_item(pickle_root(p), 1), "abc"));
    pickle_free(p);
}

/* What would run a program when Python reads it is a value like any other here. */
static void runs_nothing(void **state)
{
    static const struct sample evil = BYTES("\x80\x02" "cos\nsystem\nX\x10\x00\x00\x00touch pickle.ran\x85R.");
    static const struct sample node = BYTES("\x80\x02" "cpysyncobj.node\nTCPNode\n)\x81}"
                                            "X\x03\x00\x00\x00_idX\x0e\x00\x00\x00"
                                            "127.0.0.1:9001sb.");
    (void)state;
    struct pickle *p = read_sample(evil);
    const struct pickle_value *v = pickle_root(p);
    assert_int_equal(v->kind, PICKLE_OBJECT);
    same_bytes(pickle_item(v, 0), PICKLE_GLOBAL, "os system", 9);
    assert_true(pickle_is_text(pickle_item(pickle_item(v, 1), 0), "touch pickle.ran"));
    pickle_free(p);
    p = read_sample(node);
    v = pickle_root(p);
    assert_int_equal(v->kind, PICKLE_OBJECT);
    assert_true(pickle_is_text(pickle_get(pickle_item(v, 2), "_id"), "127.0.0.1:9001"));
    pickle_free(p);
}

static void refuses(void **state)
{
    static const struct sample samples[] = {
        BYTES(""), BYTES("."), BYTES("\x80\x06N."), BYTES("N"), BYTES("0."), BYTES("t."), BYTES("(."), BYTES("N(0N0a."),
        BYTES("h\x00."), BYTES("Nr\xff\xff\xff\xff."), BYTES("Nr\x00\x01\x00\x00."), BYTES("B\xff\xff\xff\xff."),
        BYTES("\x8e\xff\xff\xff\xff\xff\xff\xff\xff" "a."), BYTES("\x95\xff\xff\xff\xff\xff\xff\xff\xffN."), BYTES("}NNa."),
        BYTES("]NNs."), BYTES("}(Nu."), BYTES("(Nd."), BYTES("NNR"), BYTES("c_codecs\nencode."), BYTES("I5"),
        BYTES("I5x\n."), BYTES("S'a\n."), BYTES("\xff."), BYTES("\x8b\xff\xff\xff\xff."), BYTES("(i\n."), BYTES("o."),
        BYTES("(o."),
    };
    static const struct sample odd = BYTES("NNb."); /* a state for None */
    static const struct sample text_not_latin1 = BYTES("c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR.");
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        assert_null(read_sample(samples[i]));
    struct pickle *p = read_sample(odd);
    assert_non_null(p);
    pickle_free(p);
    p = read_sample(text_not_latin1);
    assert_int_equal(pickle_root(p)->kind, PICKLE_OBJECT);
    pickle_free(p);
}

/* A list in itself, and 2^40 leaves in 200 bytes: the tree is small, and printing it is bounded by the room. */
static void circles(void **state)
{
    static const struct sample self = BYTES("]q\x00h\x00" "ah\x00" "a.");
    char bomb[512], text[64];
    size_t n = 0;
    (void)state;
    struct pickle *p = read_sample(self);
    const struct pickle_value *v = pickle_root(p);
    assert_ptr_equal(pickle_item(v, 1), v);
    pickle_print(v, text, sizeof text);
    assert_int_equal(strlen(text), sizeof text - 1);
    pickle_free(p);
    bomb[n++] = 'N';
    for (int i = 0; i < 40; i++) {
        memcpy(bomb + n, "2\x86", 2); /* DUP, TUPLE2 */
        n += 2;
    }
    bomb[n++] = '.';
    p = pickle_read((const uint8_t *)bomb, n);
    assert_non_null(p);
    pickle_print(pickle_root(p), text, sizeof text);
    pickle_free(p);
}

/* What asks for more memory than there is to give, is none. */
static void memory_is_bounded(void **state)
{
    size_t length = 8u << 20, n = 0;
    uint8_t *data = malloc(length);
    (void)state;
    memset(data, ']', length); /* a list a byte */
    data[length - 1] = '.';
    assert_null(pickle_read(data, length));
    /* a large text, encoded again and again */
    const uint32_t text = 1u << 20;
    memcpy(data, "c_codecs\nencode\nq\x00X", 18);
    n = 18;
    memcpy(data + n, &text, 4);
    n += 4;
    memset(data + n, 'a', text);
    n += text;
    memcpy(data + n, "X\x06\x00\x00\x00latin1\x86q\x01", 14);
    n += 14;
    while (n < length - 6) {
        memcpy(data + n, "Rh\x00h\x01", 5);
        n += 5;
    }
    data[n++] = 'R';
    data[n++] = '.';
    assert_null(pickle_read(data, n));
    free(data);
}

/* 100,000 levels: the machine does not recurse. */
static void depth_is_no_matter(void **state)
{
    size_t levels = 100000;
    char *data = malloc(2 * levels + 2), text[40];
    (void)state;
    memset(data, ']', levels);
    memset(data + levels, 'a', levels - 1);
    data[2 * levels - 1] = '.';
    struct pickle *p = pickle_read((const uint8_t *)data, 2 * levels);
    assert_non_null(p);
    pickle_print(pickle_root(p), text, sizeof text);
    assert_string_equal(text, "[[[[[...]]]]]");
    pickle_free(p);
    free(data);
}

static void prints(void **state)
{
    char text[256], small[12];
    (void)state;
    struct pickle *p = read_sample(everything[2]);
    const struct pickle_value *v = pickle_root(p);
    pickle_print(pickle_get(v, "list"), text, sizeof text);
    assert_string_equal(text, "[1, [2]]");
    pickle_print(pickle_get(v, "dict"), text, sizeof text);
    assert_string_equal(text, "{k: v}");
    pickle_print(pickle_get(v, "four"), small, sizeof small);
    assert_string_equal(small, "(1, 2, 3, 4");
    pickle_print(pickle_get(v, "text"), text, sizeof text);
    assert_string_equal(text, "gr\xc3\xbcn \xe2\x82\xac?");
    pickle_print(NULL, text, sizeof text);
    assert_string_equal(text, "...");
    pickle_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_protocols), cmocka_unit_test(takes_no_parts), cmocka_unit_test(reads_old_forms),
        cmocka_unit_test(runs_nothing), cmocka_unit_test(refuses), cmocka_unit_test(circles),
        cmocka_unit_test(memory_is_bounded), cmocka_unit_test(depth_is_no_matter), cmocka_unit_test(prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
