/* The pickle machine: a stack, marks on it, a memo. One function an opcode or a family of them, in a table at the end. */
#include "protocol/pickle.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (16u << 10)
#define PROTOCOL_MAX 5
#define NUMBER_MAX 64 /* characters of a decimal number that is looked at */
#define PRINT_DEPTH 4

struct chunk {
    struct chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

struct pickle {
    struct chunk *chunk;
    size_t memory; /* taken so far */
    struct pickle_value *root;
};

struct reader {
    struct pickle *pickle;
    const uint8_t *at, *end;
    struct pickle_value **stack;
    size_t depth, stack_capacity;
    size_t *mark; /* depths */
    size_t marks, mark_capacity;
    struct pickle_value **memo;
    size_t memo_count, memo_capacity;
    bool bad;
};

static struct pickle_value none = {.kind = PICKLE_NONE};
static struct pickle_value truths[2] = {{.kind = PICKLE_BOOL, .number = 0}, {.kind = PICKLE_BOOL, .number = 1}};
static struct pickle_value empty_tuple = {.kind = PICKLE_TUPLE};

/* --- memory --- */

static bool charge(struct reader *r, size_t size)
{
    if (size > PICKLE_MEMORY_MAX - r->pickle->memory)
        return !(r->bad = true);
    r->pickle->memory += size;
    return true;
}

static void *take_memory(struct reader *r, size_t size)
{
    struct chunk *c = r->pickle->chunk;
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!c || c->size - c->used < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        c = charge(r, room) ? malloc(sizeof *c + room) : NULL;
        if (!c) {
            r->bad = true;
            return NULL;
        }
        *c = (struct chunk){.next = r->pickle->chunk, .size = room};
        r->pickle->chunk = c;
    }
    void *p = (uint8_t *)c->bytes + c->used;
    c->used += size;
    return p;
}

/* Room for one more of `size` bytes in an array that doubles. */
static bool array_reserve(struct reader *r, void **array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t grown = *capacity ? 2 * *capacity : 64;
    void *moved = charge(r, (grown - *capacity) * size) ? realloc(*array, grown * size) : NULL;
    if (!moved)
        return !(r->bad = true);
    *array = moved;
    *capacity = grown;
    return true;
}

static struct pickle_value *value_create(struct reader *r, enum pickle_kind kind)
{
    struct pickle_value *v = take_memory(r, sizeof *v);
    if (v)
        *v = (struct pickle_value){.kind = kind};
    return v;
}

/* --- the bytes --- */

static const uint8_t *take(struct reader *r, uint64_t length)
{
    if (length > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    r->at += length;
    return r->at - length;
}

/* An unsigned little endian number. */
static uint64_t take_number(struct reader *r, size_t length)
{
    const uint8_t *p = take(r, length);
    uint64_t number = 0;
    for (size_t i = length; p && i-- > 0;)
        number = number << 8 | p[i];
    return number;
}

/* Up to the end of the line, which is passed. */
static const uint8_t *take_line(struct reader *r, size_t *length)
{
    const uint8_t *start = r->at, *newline = memchr(start, '\n', (size_t)(r->end - start));
    if (!newline) {
        r->bad = true;
        return NULL;
    }
    *length = (size_t)(newline - start);
    r->at = newline + 1;
    return start;
}

static bool take_decimal(struct reader *r, uint64_t *number)
{
    size_t length = 0;
    const uint8_t *p = take_line(r, &length);
    *number = 0;
    for (size_t i = 0; p && i < length; i++) {
        if (p[i] < '0' || p[i] > '9' || *number > UINT32_MAX)
            return !(r->bad = true);
        *number = 10 * *number + (p[i] - '0');
    }
    return p && length;
}

/* --- the stack --- */

static size_t base(const struct reader *r)
{
    return r->marks ? r->mark[r->marks - 1] : 0;
}

static void push(struct reader *r, struct pickle_value *v)
{
    if (v && array_reserve(r, (void **)&r->stack, r->depth, &r->stack_capacity, sizeof *r->stack))
        r->stack[r->depth++] = v;
    else
        r->bad = true;
}

static struct pickle_value *pop(struct reader *r)
{
    if (r->depth == base(r)) {
        r->bad = true;
        return NULL;
    }
    return r->stack[--r->depth];
}

static struct pickle_value *top(struct reader *r)
{
    struct pickle_value *v = pop(r);
    r->depth += v != NULL;
    return v;
}

/* What stands above the last mark, which goes. Valid until the next push; NULL if nothing was ever pushed. */
static struct pickle_value **pop_mark(struct reader *r, size_t *count)
{
    if (!r->marks) {
        r->bad = true;
        *count = 0;
        return NULL;
    }
    size_t at = r->mark[--r->marks];
    *count = r->depth - at;
    r->depth = at;
    return r->stack ? r->stack + at : NULL;
}

static void push_bytes(struct reader *r, enum pickle_kind kind, const uint8_t *data, size_t length)
{
    struct pickle_value *v = data ? value_create(r, kind) : NULL;
    if (v) {
        v->bytes.data = data;
        v->bytes.length = length;
    }
    push(r, v);
}

static void push_int(struct reader *r, int64_t number)
{
    struct pickle_value *v = value_create(r, PICKLE_INT);
    if (v)
        v->number = number;
    push(r, v);
}

static bool items_add(struct reader *r, struct pickle_value *v, struct pickle_value *const *item, size_t count)
{
    size_t capacity = v->items.capacity ? v->items.capacity : 4;
    while (capacity < v->items.count + count)
        capacity *= 2;
    if (capacity != v->items.capacity) {
        struct pickle_value **grown = take_memory(r, capacity * sizeof *grown);
        if (!grown)
            return false;
        if (v->items.count)
            memcpy(grown, v->items.item, v->items.count * sizeof *grown);
        v->items.item = grown;
        v->items.capacity = capacity;
    }
    if (count)
        memcpy(v->items.item + v->items.count, item, count * sizeof *item);
    v->items.count += count;
    return true;
}

static void push_items(struct reader *r, enum pickle_kind kind, struct pickle_value *const *item, size_t count)
{
    struct pickle_value *v = value_create(r, kind);
    if (v && count && !items_add(r, v, item, count))
        v = NULL;
    push(r, v);
}

static void push_object(struct reader *r, struct pickle_value *what, struct pickle_value *arguments)
{
    struct pickle_value *parts[] = {what, arguments, NULL};
    push_items(r, PICKLE_OBJECT, parts, 3);
}

/* --- numbers --- */

static void op_int_fixed(struct reader *r, uint8_t op)
{
    push_int(r, op == 'J' ? (int32_t)take_number(r, 4) : (int64_t)take_number(r, op == 'K' ? 1 : 2));
}

/* Two's complement, little endian, of any length. */
static void op_long(struct reader *r, uint8_t op)
{
    uint64_t length = take_number(r, op == 0x8a ? 1 : 4), number = 0;
    const uint8_t *p = take(r, length);
    if (!p)
        return;
    if (length > 8) {
        push_bytes(r, PICKLE_LONG, p, (size_t)length);
        return;
    }
    for (size_t i = (size_t)length; i-- > 0;)
        number = number << 8 | p[i];
    if (length && length < 8 && p[length - 1] & 0x80)
        number |= UINT64_MAX << (8 * length);
    push_int(r, (int64_t)number);
}

/* "I01" and "I00" are the bools of protocols 0 and 1; LONG ends with an L. */
static void op_decimal(struct reader *r, uint8_t op)
{
    size_t length = 0;
    char text[NUMBER_MAX] = "", *end;
    const uint8_t *p = take_line(r, &length);
    if (p && op == 'L' && length && p[length - 1] == 'L')
        length--;
    if (!p || !length || length >= sizeof text) {
        if (p && length)
            push_bytes(r, PICKLE_LONG, p, length);
        else
            r->bad = true;
        return;
    }
    memcpy(text, p, length);
    bool truth = op == 'I' && length == 2 && text[0] == '0' && (text[1] == '0' || text[1] == '1');
    if (truth) {
        push(r, &truths[text[1] == '1']);
        return;
    }
    int64_t number = strtoll(text, &end, 10);
    if (*end)
        r->bad = true;
    else if (number == INT64_MAX || number == INT64_MIN)
        push_bytes(r, PICKLE_LONG, p, length);
    else
        push_int(r, number);
}

static void op_float(struct reader *r, uint8_t op)
{
    struct pickle_value *v = value_create(r, PICKLE_FLOAT);
    size_t length = 0;
    char text[NUMBER_MAX] = "";
    const uint8_t *p = op == 'F' ? take_line(r, &length) : take(r, 8);
    if (!p || !v || length >= sizeof text) {
        r->bad = true;
        return;
    }
    if (op == 'F') {
        memcpy(text, p, length);
        v->real = strtod(text, NULL);
    } else {
        uint64_t bits = 0;
        for (int i = 0; i < 8; i++)
            bits = bits << 8 | p[i];
        memcpy(&v->real, &bits, sizeof bits);
    }
    push(r, v);
}

static void op_constant(struct reader *r, uint8_t op)
{
    push(r, op == 'N' ? &none : op == ')' ? &empty_tuple : &truths[op == 0x88]);
}

/* --- strings --- */

static void op_bytes(struct reader *r, uint8_t op)
{
    size_t width = op == 'U' || op == 'C' || op == 0x8c ? 1 : op == 'T' || op == 'B' || op == 'X' ? 4 : 8;
    bool text = op == 'X' || op == 0x8c || op == 0x8d;
    uint64_t length = take_number(r, width);
    const uint8_t *p = take(r, length);
    push_bytes(r, text ? PICKLE_TEXT : PICKLE_BYTES, p, p ? (size_t)length : 0);
}

static int hex_digits(const uint8_t *p, const uint8_t *end, int digits, uint32_t *value)
{
    *value = 0;
    if (end - p < digits)
        return 0;
    for (int i = 0; i < digits; i++) {
        int c = tolower(p[i]);
        if (!isxdigit(c))
            return 0;
        *value = *value << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return digits;
}

/* One escape of a Python 2 str after its backslash; returns what it used. */
static size_t string_escape(const uint8_t *p, const uint8_t *end, uint8_t *out)
{
    static const char letters[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
    const char *letter = *p ? strchr(letters, *p) : NULL;
    uint32_t value;
    size_t used = 0;
    *out = *p;
    if (letter) {
        *out = (uint8_t)codes[letter - letters];
    } else if (*p == 'x' && hex_digits(p + 1, end, 2, &value)) {
        *out = (uint8_t)value;
        return 3;
    } else if (*p >= '0' && *p <= '7') {
        for (value = 0; used < 3 && p + used < end && p[used] >= '0' && p[used] <= '7'; used++)
            value = value * 8 + (uint32_t)(p[used] - '0');
        *out = (uint8_t)value;
        return used;
    }
    return 1;
}

static void op_string(struct reader *r, uint8_t op)
{
    size_t length = 0, n = 0;
    const uint8_t *p = take_line(r, &length);
    (void)op;
    if (!p || length < 2 || (p[0] != '\'' && p[0] != '"') || p[length - 1] != p[0]) {
        r->bad = true;
        return;
    }
    const uint8_t *end = p + length - 1;
    uint8_t *out = take_memory(r, length);
    for (p++; out && p < end;) {
        if (*p == '\\' && p + 1 < end)
            p += 1 + string_escape(p + 1, end, &out[n++]);
        else
            out[n++] = *p++;
    }
    push_bytes(r, PICKLE_BYTES, out, n);
}

static size_t utf8_put(uint8_t *out, uint32_t c)
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; /* bytes of six bits behind the first */
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(lead[more] | (c >> 6 * more & (more < 3 ? 0x7f : 7)));
    for (size_t i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (c >> 6 * (more - i) & 63));
    return more + 1;
}

/* Raw unicode escapes: latin1 but for \uXXXX and \UXXXXXXXX. */
static void op_unicode(struct reader *r, uint8_t op)
{
    size_t length = 0, n = 0;
    const uint8_t *p = take_line(r, &length), *end = p ? p + length : NULL;
    uint8_t *out = p ? take_memory(r, 2 * length + 1) : NULL; /* an escape of 6 gives 3 bytes at most, of 10 gives 4 */
    (void)op;
    while (out && p < end) {
        uint32_t c = *p;
        int digits = c != '\\' || end - p < 2 ? 0 : p[1] == 'u' ? 4 : p[1] == 'U' ? 8 : 0;
        p += digits && hex_digits(p + 2, end, digits, &c) ? 2 + digits : (c = *p, 1);
        n += utf8_put(out + n, c);
    }
    push_bytes(r, PICKLE_TEXT, out, n);
}

/* --- containers --- */

static void op_mark(struct reader *r, uint8_t op)
{
    (void)op;
    if (array_reserve(r, (void **)&r->mark, r->marks, &r->mark_capacity, sizeof *r->mark))
        r->mark[r->marks++] = r->depth;
}

static enum pickle_kind container_kind(uint8_t op)
{
    switch (op) {
    case ']': case 'l': return PICKLE_LIST;
    case '}': case 'd': return PICKLE_DICT;
    case 0x8f: case 0x91: return PICKLE_SET;
    default: return PICKLE_TUPLE;
    }
}

static void op_empty(struct reader *r, uint8_t op)
{
    push(r, value_create(r, container_kind(op)));
}

/* TUPLE, LIST, DICT, FROZENSET: of all above the mark. */
static void op_collect(struct reader *r, uint8_t op)
{
    size_t count;
    struct pickle_value **item = pop_mark(r, &count);
    if (r->bad || (op == 'd' && count % 2))
        r->bad = true;
    else
        push_items(r, container_kind(op), item, count);
}

static void op_tuple_of(struct reader *r, uint8_t op)
{
    struct pickle_value *item[3] = {NULL};
    size_t count = op - 0x85u + 1;
    for (size_t i = count; i-- > 0;)
        item[i] = pop(r);
    if (!r->bad)
        push_items(r, PICKLE_TUPLE, item, count);
}

/* What an object does with what is added to it, only its class knows. */
static void add_to(struct reader *r, struct pickle_value *to, struct pickle_value *const *item, size_t count, bool pairs)
{
    if (!to || (pairs && count % 2) || (to->kind != PICKLE_OBJECT && (to->kind == PICKLE_DICT) != pairs))
        r->bad = true;
    else if (to->kind == PICKLE_DICT || to->kind == PICKLE_LIST || to->kind == PICKLE_SET)
        items_add(r, to, item, count);
    else if (to->kind != PICKLE_OBJECT)
        r->bad = true;
}

static void op_append(struct reader *r, uint8_t op)
{
    struct pickle_value *item[2] = {NULL};
    size_t count = op == 's' ? 2 : 1;
    for (size_t i = count; i-- > 0;)
        item[i] = pop(r);
    struct pickle_value *to = top(r);
    if (!r->bad)
        add_to(r, to, item, count, op == 's');
}

static void op_appends(struct reader *r, uint8_t op)
{
    size_t count;
    struct pickle_value **item = pop_mark(r, &count), *to = r->bad ? NULL : top(r);
    if (!r->bad)
        add_to(r, to, item, count, op == 'u');
}

static void op_pop(struct reader *r, uint8_t op)
{
    size_t count;
    if (op == '1' || (r->marks && r->depth == base(r)))
        pop_mark(r, &count); /* POP takes a mark off as well, where it is on top */
    else
        pop(r);
}

static void op_dup(struct reader *r, uint8_t op)
{
    (void)op;
    push(r, top(r));
}

/* --- the memo --- */

/* Picklers number from 0 or 1 on without a gap; one that is far ahead of what was put would only ask for memory. */
static void memo_put(struct reader *r, uint64_t index)
{
    struct pickle_value *v = top(r);
    if (!v || index > r->memo_count + 64) {
        r->bad = true;
        return;
    }
    while (r->memo_count <= index) {
        if (!array_reserve(r, (void **)&r->memo, r->memo_count, &r->memo_capacity, sizeof *r->memo))
            return;
        r->memo[r->memo_count++] = NULL;
    }
    r->memo[index] = v;
}

static void op_put(struct reader *r, uint8_t op)
{
    uint64_t index = r->memo_count;
    if (op == 'p')
        take_decimal(r, &index);
    else if (op != 0x94)
        index = take_number(r, op == 'q' ? 1 : 4);
    if (!r->bad)
        memo_put(r, index);
}

static void op_get(struct reader *r, uint8_t op)
{
    uint64_t index;
    if (op == 'g')
        take_decimal(r, &index);
    else
        index = take_number(r, op == 'h' ? 1 : 4);
    push(r, !r->bad && index < r->memo_count ? r->memo[index] : NULL);
}

/* --- what would have been code --- */

static void push_global(struct reader *r, const uint8_t *module, size_t module_length, const uint8_t *name,
                        size_t name_length)
{
    uint8_t *text = take_memory(r, module_length + name_length + 1);
    if (!text)
        return;
    if (module_length)
        memcpy(text, module, module_length);
    text[module_length] = ' ';
    if (name_length)
        memcpy(text + module_length + 1, name, name_length);
    push_bytes(r, PICKLE_GLOBAL, text, module_length + name_length + 1);
}

static void op_global(struct reader *r, uint8_t op)
{
    size_t module_length = 0, name_length = 0;
    const uint8_t *module = NULL, *name = NULL;
    if (op == 'c') {
        module = take_line(r, &module_length);
        name = module ? take_line(r, &name_length) : NULL;
    } else {
        bool named = pickle_bytes(pop(r), &name, &name_length);
        if (!pickle_bytes(pop(r), &module, &module_length) || !named)
            module = name = NULL;
    }
    if (module && name)
        push_global(r, module, module_length, name, name_length);
    else
        r->bad = true;
}

static bool is_global(const struct pickle_value *v, const char *text)
{
    return v && v->kind == PICKLE_GLOBAL && v->bytes.length == strlen(text) && !memcmp(v->bytes.data, text, v->bytes.length);
}

/* The latin1 bytes of a UTF-8 text; false if it holds characters that latin1 has not. */
static bool latin1(struct reader *r, const struct pickle_value *text, const uint8_t **data, size_t *length)
{
    const uint8_t *p = text->bytes.data, *end = p + text->bytes.length;
    uint8_t *out = take_memory(r, text->bytes.length + 1);
    size_t n = 0;
    for (; out && p < end; p++) {
        if (*p >= 0x80 && (*p > 0xc3 || *p < 0xc2 || p + 1 == end || (p[1] & 0xc0) != 0x80))
            return false;
        if (*p >= 0x80) {
            out[n++] = (uint8_t)((p[0] & 3) << 6 | (p[1] & 63));
            p++;
        } else {
            out[n++] = *p;
        }
    }
    *data = out;
    *length = n;
    return out;
}

/* Bytes, as protocols below 3 have them: _codecs.encode(text, "latin1"), or bytes() if there are none. */
static bool reduced_bytes(struct reader *r, const struct pickle_value *what, const struct pickle_value *arguments,
                          const uint8_t **data, size_t *length)
{
    const struct pickle_value *text = pickle_item(arguments, 0), *codec = pickle_item(arguments, 1);
    if (arguments->kind != PICKLE_TUPLE)
        return false;
    *length = 0;
    *data = (const uint8_t *)"";
    if (is_global(what, "__builtin__ bytes") || is_global(what, "builtins bytes"))
        return !arguments->items.count;
    return is_global(what, "_codecs encode") && text && text->kind == PICKLE_TEXT &&
           (pickle_is_text(codec, "latin1") || pickle_is_text(codec, "latin-1")) && latin1(r, text, data, length);
}

static void op_reduce(struct reader *r, uint8_t op)
{
    struct pickle_value *arguments = pop(r), *what = pop(r);
    const uint8_t *data;
    size_t length;
    if (r->bad)
        return;
    if (op == 'R' && reduced_bytes(r, what, arguments, &data, &length))
        push_bytes(r, PICKLE_BYTES, data, length);
    else
        push_object(r, what, arguments);
}

static void op_newobj_ex(struct reader *r, uint8_t op)
{
    (void)op;
    pop(r); /* the keyword arguments */
    op_reduce(r, 0x81);
}

/* A state is kept where there is a place for it. */
static void op_build(struct reader *r, uint8_t op)
{
    struct pickle_value *state = pop(r), *object = top(r);
    (void)op;
    if (!r->bad && object->kind == PICKLE_OBJECT)
        object->items.item[2] = state;
}

/* OBJ: the class and its arguments stand above the mark; INST: the class is in the text. */
static void op_instance(struct reader *r, uint8_t op)
{
    if (op == 'i')
        op_global(r, 'c');
    struct pickle_value *what = op == 'i' && !r->bad ? pop(r) : NULL;
    size_t count;
    struct pickle_value **item = pop_mark(r, &count);
    if (r->bad || (op == 'o' && !count)) {
        r->bad = true;
        return;
    }
    if (op == 'o') {
        what = *item++;
        count--;
    }
    push_items(r, PICKLE_TUPLE, item, count);
    struct pickle_value *arguments = pop(r);
    if (!r->bad)
        push_object(r, what, arguments);
}

/* Extensions, persistent ids and buffers stand for things that are not in the pickle. */
static void op_elsewhere(struct reader *r, uint8_t op)
{
    size_t length;
    if (op == 'P')
        take_line(r, &length);
    else if (op == 'Q')
        pop(r);
    else if (op >= 0x82 && op <= 0x84)
        take(r, op == 0x84 ? 4 : op - 0x81u);
    if (!r->bad)
        push_object(r, NULL, NULL);
}

static void op_nothing(struct reader *r, uint8_t op)
{
    uint64_t n = op == 0x80 ? take_number(r, 1) : op == 0x95 ? take_number(r, 8) : 0;
    if (op == 0x80 ? n > PROTOCOL_MAX : n > (size_t)(r->end - r->at))
        r->bad = true;
    if (op == 0x98)
        top(r); /* READONLY_BUFFER */
}

static void (*const opcodes[256])(struct reader *r, uint8_t op) = {
    ['J'] = op_int_fixed, ['K'] = op_int_fixed, ['M'] = op_int_fixed, [0x8a] = op_long, [0x8b] = op_long, ['I'] = op_decimal,
    ['L'] = op_decimal, ['F'] = op_float, ['G'] = op_float, ['N'] = op_constant, [')'] = op_constant, [0x88] = op_constant,
    [0x89] = op_constant, ['S'] = op_string, ['V'] = op_unicode, ['T'] = op_bytes, ['U'] = op_bytes, ['B'] = op_bytes,
    ['C'] = op_bytes, [0x8e] = op_bytes, [0x96] = op_bytes, ['X'] = op_bytes, [0x8c] = op_bytes, [0x8d] = op_bytes,
    ['('] = op_mark, [']'] = op_empty, ['}'] = op_empty, [0x8f] = op_empty, ['l'] = op_collect, ['d'] = op_collect,
    ['t'] = op_collect, [0x91] = op_collect, [0x85] = op_tuple_of, [0x86] = op_tuple_of, [0x87] = op_tuple_of,
    ['a'] = op_append, ['s'] = op_append, ['e'] = op_appends, ['u'] = op_appends, [0x90] = op_appends, ['0'] = op_pop,
    ['1'] = op_pop, ['2'] = op_dup, ['p'] = op_put, ['q'] = op_put, ['r'] = op_put, [0x94] = op_put, ['g'] = op_get,
    ['h'] = op_get, ['j'] = op_get, ['c'] = op_global, [0x93] = op_global, ['R'] = op_reduce, [0x81] = op_reduce,
    [0x92] = op_newobj_ex, ['b'] = op_build, ['i'] = op_instance, ['o'] = op_instance, ['P'] = op_elsewhere,
    ['Q'] = op_elsewhere, [0x82] = op_elsewhere, [0x83] = op_elsewhere, [0x84] = op_elsewhere, [0x97] = op_elsewhere,
    [0x98] = op_nothing, [0x80] = op_nothing, [0x95] = op_nothing,
};

/* --- pickle.h --- */

static struct pickle_value *machine_run(struct reader *r)
{
    while (!r->bad && r->at < r->end) {
        uint8_t op = *r->at++;
        if (op == '.')
            return pop(r);
        if (!opcodes[op])
            return NULL;
        opcodes[op](r, op);
    }
    return NULL;
}

struct pickle *pickle_read(const uint8_t *data, size_t length)
{
    struct pickle *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    struct reader r = {.pickle = p, .at = data, .end = data + length};
    p->root = machine_run(&r);
    free(r.stack);
    free(r.mark);
    free(r.memo);
    if (p->root)
        return p;
    pickle_free(p);
    return NULL;
}

void pickle_free(struct pickle *p)
{
    while (p && p->chunk) {
        struct chunk *c = p->chunk;
        p->chunk = c->next;
        free(c);
    }
    free(p);
}

const struct pickle_value *pickle_root(const struct pickle *p)
{
    return p ? p->root : NULL;
}

static bool has_items(const struct pickle_value *v)
{
    return v && (v->kind == PICKLE_TUPLE || v->kind == PICKLE_LIST || v->kind == PICKLE_SET || v->kind == PICKLE_DICT ||
                 v->kind == PICKLE_OBJECT);
}

const struct pickle_value *pickle_item(const struct pickle_value *v, size_t index)
{
    return has_items(v) && index < v->items.count ? v->items.item[index] : NULL;
}

const struct pickle_value *pickle_get(const struct pickle_value *dict, const char *key)
{
    for (size_t i = 0; dict && dict->kind == PICKLE_DICT && i + 1 < dict->items.count; i += 2)
        if (pickle_is_text(dict->items.item[i], key))
            return dict->items.item[i + 1];
    return NULL;
}

bool pickle_number(const struct pickle_value *v, uint64_t *number)
{
    if (!v || (v->kind == PICKLE_INT && v->number < 0))
        return false;
    if (v->kind == PICKLE_INT)
        return *number = (uint64_t)v->number, true;
    if (v->kind != PICKLE_LONG || v->bytes.length != 9 || v->bytes.data[8])
        return false;
    *number = 0; /* from 2^63 on: eight bytes, and one for the sign */
    for (size_t i = 8; i-- > 0;)
        *number = *number << 8 | v->bytes.data[i];
    return true;
}

bool pickle_bytes(const struct pickle_value *v, const uint8_t **data, size_t *length)
{
    if (!v || (v->kind != PICKLE_BYTES && v->kind != PICKLE_TEXT))
        return false;
    *data = v->bytes.data;
    *length = v->bytes.length;
    return true;
}

bool pickle_is_text(const struct pickle_value *v, const char *text)
{
    const uint8_t *data;
    size_t length;
    return pickle_bytes(v, &data, &length) && length == strlen(text) && !memcmp(data, text, length);
}

bool pickle_is_true(const struct pickle_value *v)
{
    return v && (v->kind == PICKLE_BOOL || v->kind == PICKLE_INT) && v->number;
}

/* --- for people --- */

struct printer {
    char *out;
    size_t used, size;
};

static void print_text(struct printer *p, const char *text, size_t length)
{
    for (size_t i = 0; i < length && p->used + 1 < p->size; i++)
        p->out[p->used++] = (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
}

static void print_word(struct printer *p, const char *word)
{
    print_text(p, word, strlen(word));
}

static void print_value(struct printer *p, const struct pickle_value *v, int depth);

static void print_items(struct printer *p, const struct pickle_value *v, int depth)
{
    const char *brackets = v->kind == PICKLE_TUPLE ? "()" : v->kind == PICKLE_LIST ? "[]" : "{}";
    print_text(p, brackets, 1);
    for (size_t i = 0; i < v->items.count && p->used + 1 < p->size; i++) {
        print_word(p, !i ? "" : v->kind == PICKLE_DICT && i % 2 ? ": " : ", ");
        if (depth < PRINT_DEPTH)
            print_value(p, v->items.item[i], depth + 1);
        else
            print_word(p, "...");
    }
    print_text(p, brackets + 1, 1);
}

static void print_value(struct printer *p, const struct pickle_value *v, int depth)
{
    char text[40] = "...";
    switch (v ? v->kind : PICKLE_OBJECT) {
    case PICKLE_BYTES: case PICKLE_TEXT:
        print_text(p, (const char *)v->bytes.data, v->bytes.length);
        return;
    case PICKLE_TUPLE: case PICKLE_LIST: case PICKLE_SET: case PICKLE_DICT:
        print_items(p, v, depth);
        return;
    case PICKLE_NONE: snprintf(text, sizeof text, "None"); break;
    case PICKLE_BOOL: snprintf(text, sizeof text, "%s", v->number ? "True" : "False"); break;
    case PICKLE_INT: snprintf(text, sizeof text, "%" PRId64, v->number); break;
    case PICKLE_FLOAT: snprintf(text, sizeof text, "%.12g", v->real); break;
    default: break;
    }
    print_word(p, text);
}

void pickle_print(const struct pickle_value *v, char *out, size_t size)
{
    struct printer p = {out, 0, size};
    print_value(&p, v, 0);
    if (size)
        out[p.used] = '\0';
}
