/* The Python frames of a stopped CPython 3.11, from its memory: _PyRuntime leads to the interpreters, these to their threads, a
 * thread to its chain of frames, and a frame to its code object, which has names and a table of lines. Offsets as
 * Include/internal/pycore_{runtime,interp,frame}.h and Include/cpython/{pystate,code,unicodeobject,bytesobject}.h of 3.11 lay
 * them out on x86-64 in a build without Py_DEBUG; each object is looked at for its type before it is believed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/stack.h"

#define VERSION 0x030b /* of PY_VERSION_HEX, the two upper bytes */

enum {
    RUNTIME_INTERPRETERS = 40, /* _PyRuntimeState.interpreters.head */
    INTERPRETER_NEXT = 0, INTERPRETER_THREADS = 16,
    THREAD_NEXT = 8, THREAD_CFRAME = 56, THREAD_ID = 152,
    CFRAME_CURRENT = 8,
    FRAME_CODE = 32, FRAME_PREVIOUS = 48, FRAME_INSTRUCTION = 56, FRAME_OWNER = 69, FRAME_SIZE = 72,
    OWNED_BY_GENERATOR = 1,
    OBJECT_TYPE = 8, OBJECT_SIZE = 16,
    CODE_FIRST_LINE = 72, CODE_FILE = 112, CODE_QUALNAME = 128, CODE_LINES = 136, CODE_FIRST_TRACEABLE = 168,
    CODE_INSTRUCTIONS = 184,
    TEXT_STATE = 32, TEXT_ASCII = 48, TEXT_COMPACT = 72,
    BYTES_DATA = 32,
};

#define CHAIN_MOST 4096       /* interpreters, threads, frames: a longer chain is a ring or memory that was misread */
#define LINES_MOST (1u << 20) /* bytes of a table */

struct python {
    const struct stack_process *process;
    const struct stack_python *symbol;
};

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
    uint64_t word;
    memcpy(&word, bytes + offset, sizeof word);
    return word;
}

static uint32_t half_at(const uint8_t *bytes, size_t offset)
{
    uint32_t half;
    memcpy(&half, bytes + offset, sizeof half);
    return half;
}

static uint64_t pointer_read(const struct python *py, uint64_t address)
{
    uint64_t word = 0;
    return address && stack_read(py->process, address, &word, sizeof word) ? word : 0;
}

/* ---- the table of lines: Objects/locations.md of CPython 3.11 ---- */

static unsigned take_varint(const uint8_t **p, const uint8_t *end)
{
    unsigned value = 0, shift = 0;
    while (*p < end && shift < 32) {
        uint8_t byte = *(*p)++;
        value |= (unsigned)(byte & 63) << shift;
        shift += 6;
        if (!(byte & 64))
            break;
    }
    return value;
}

static int64_t take_svarint(const uint8_t **p, const uint8_t *end)
{
    unsigned value = take_varint(p, end);
    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

enum { CODE_ONE_LINE = 10, CODE_NO_COLUMN = 13, CODE_LONG = 14, CODE_NONE = 15 };

unsigned python_line(const uint8_t *table, size_t length, unsigned first, uint64_t unit)
{
    const uint8_t *p = table, *end = table + length;
    int64_t line = first;
    uint64_t at = 0;
    while (p < end) {
        uint8_t head = *p++;
        unsigned kind = head >> 3 & 15;
        at += (head & 7) + 1u;
        if (kind == CODE_LONG || kind == CODE_NO_COLUMN)
            line += take_svarint(&p, end);
        else if (kind >= CODE_ONE_LINE && kind < CODE_NO_COLUMN)
            line += kind - CODE_ONE_LINE;
        if (unit < at)
            return kind == CODE_NONE || line < 0 || line > INT32_MAX ? first : (unsigned)line;
        while (p < end && !(*p & 128)) /* columns; only the first byte of an entry has the top bit */
            p++;
    }
    return first;
}

/* ---- objects ---- */

static size_t utf8_put(char *out, uint32_t c)
{
    if (c < 0x80)
        return out[0] = (char)c, 1;
    if (c < 0x800)
        return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
    out[0] = (char)(0xf0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* A str, cut to fit. "" if it is none. */
static void text_read(const struct python *py, uint64_t address, char *out, size_t size)
{
    uint8_t head[TEXT_ASCII], data[1024];
    *out = 0;
    if (!address || !stack_read(py->process, address, head, sizeof head) || word_at(head, OBJECT_TYPE) != py->symbol->unicode_type)
        return;
    uint32_t state = half_at(head, TEXT_STATE), width = state >> 2 & 7;
    bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    uint64_t length = word_at(head, OBJECT_SIZE);
    if (!compact || (width != 1 && width != 2 && width != 4))
        return;
    if (length > size - 1)
        length = size - 1;
    if (length > sizeof data / width)
        length = sizeof data / width;
    if (!stack_read(py->process, address + (ascii ? TEXT_ASCII : TEXT_COMPACT), data, length * width))
        return;
    size_t used = 0;
    for (size_t i = 0; i < length && used + 5 <= size; i++) {
        uint32_t c = 0;
        memcpy(&c, data + i * width, width);
        used += utf8_put(out + used, c);
    }
    out[used] = 0;
}

static unsigned line_read(const struct python *py, const uint8_t *code, uint64_t unit)
{
    uint8_t head[BYTES_DATA];
    uint64_t address = word_at(code, CODE_LINES);
    unsigned line = half_at(code, CODE_FIRST_LINE);
    if (!address || !stack_read(py->process, address, head, sizeof head) || word_at(head, OBJECT_TYPE) != py->symbol->bytes_type ||
        word_at(head, OBJECT_SIZE) > LINES_MOST)
        return line;
    size_t length = word_at(head, OBJECT_SIZE);
    uint8_t *table = malloc(length + 1);
    if (table && stack_read(py->process, address + BYTES_DATA, table, length))
        line = python_line(table, length, line, unit);
    free(table);
    return line;
}

/* ---- frames ---- */

/* False if what is there is no frame. One that has not begun yet (_PyFrame_IsIncomplete) is passed over. */
static bool frame_read(struct stack *s, const struct python *py, const uint8_t *frame)
{
    uint8_t code[CODE_INSTRUCTIONS];
    uint64_t address = word_at(frame, FRAME_CODE);
    if (!stack_read(py->process, address, code, sizeof code) || word_at(code, OBJECT_TYPE) != py->symbol->code_type)
        return false;
    int64_t unit = (int64_t)(word_at(frame, FRAME_INSTRUCTION) - address - CODE_INSTRUCTIONS) / 2;
    if (frame[FRAME_OWNER] != OWNED_BY_GENERATOR && unit < (int32_t)half_at(code, CODE_FIRST_TRACEABLE))
        return true;
    struct stack_frame *f = &s->frame[s->frames++];
    *f = (struct stack_frame){ .frame = { .line = line_read(py, code, unit < 0 ? 0 : (uint64_t)unit) } };
    text_read(py, word_at(code, CODE_QUALNAME), f->frame.function, sizeof f->frame.function);
    text_read(py, word_at(code, CODE_FILE), f->frame.file, sizeof f->frame.file);
    snprintf(f->frame.object, sizeof f->frame.object, "%s", py->symbol->object);
    return true;
}

static void frames_read(struct stack *s, const struct python *py, uint64_t thread)
{
    uint64_t address = pointer_read(py, thread + THREAD_CFRAME);
    address = address ? pointer_read(py, address + CFRAME_CURRENT) : 0;
    for (int i = 0; address && i < CHAIN_MOST && s->frames < FRAMES_MAX; i++) {
        uint8_t frame[FRAME_SIZE];
        if (!stack_read(py->process, address, frame, sizeof frame) || !frame_read(s, py, frame))
            return;
        address = word_at(frame, FRAME_PREVIOUS);
    }
}

/* The interpreter's record of the thread that stopped: it knows it by pthread_self(3). */
static uint64_t thread_find(const struct python *py)
{
    uint64_t interpreter = pointer_read(py, py->symbol->runtime + RUNTIME_INTERPRETERS);
    for (int left = CHAIN_MOST; interpreter && left; interpreter = pointer_read(py, interpreter + INTERPRETER_NEXT)) {
        uint64_t thread = pointer_read(py, interpreter + INTERPRETER_THREADS);
        for (; thread && left; thread = pointer_read(py, thread + THREAD_NEXT), left--)
            if (pointer_read(py, thread + THREAD_ID) == py->process->file->thread_pointer)
                return thread;
        left -= left > 0;
    }
    return 0;
}

void stack_python(struct stack *s, const struct stack_process *p, const struct stack_python *symbol)
{
    const struct python py = { .process = p, .symbol = symbol };
    uint64_t version = pointer_read(&py, symbol->version) & 0xffffffff; /* came with 3.11 */
    if (version >> 16 != VERSION || !symbol->code_type || !symbol->unicode_type || !symbol->bytes_type) {
        snprintf(s->note, sizeof s->note, "frames of the interpreter: those of Python are read of CPython 3.11 only");
        return;
    }
    uint64_t thread = thread_find(&py);
    if (thread)
        frames_read(s, &py, thread);
}
