/* Cause, chain and other breaks of rules, for people. */
#include <inttypes.h>
#include <string.h>

#include "explain/explain.h"
#include "util/text.h"

#define LABEL "%-11s"
#define BREAKS_SHOWN 6
#define FRAMES_SHOWN 4

static void print_label(const char *label, const struct verdict_style *style, FILE *out)
{
    fprintf(out, "%s" LABEL "%s", style->strong, label, style->plain);
}

static void print_class(const struct verdict *v, const struct raft_break *b, FILE *out)
{
    char event[RAFT_NODE_NAME + 32];
    verdict_event(v, &b->at, event, sizeof event);
    text_plain(b->text, out);
    fprintf(out, "   %s   [%s, %s]\n", event, raft_classes[b->class].id, raft_classes[b->class].reference);
}

/* Libraries that carry calls of every program: the frame that matters is behind theirs. */
size_t verdict_frame_first(const struct verdict *v)
{
    static const char *const plumbing[] = {"libuv.",     "libev.",    "libevent", "libc.",
                                           "libpthread", "libstdc++", "libssl",   "libcrypto"};
    for (size_t i = 0; i < v->frames; i++) {
        bool carries = false;
        for (size_t p = 0; p < sizeof plumbing / sizeof *plumbing; p++)
            carries |= strncmp(v->frame[i].object, plumbing[p], strlen(plumbing[p])) == 0;
        if (!carries)
            return i;
    }
    return 0;
}

/* "replicationQuorum  replication.c:1523  <- replicationUpdate <- recvAppendEntriesResult": the place, and who called. */
static void print_source(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    if (!v->frames && !v->frames_note[0])
        return;
    print_label("SOURCE", style, out);
    size_t first = verdict_frame_first(v);
    for (size_t i = first; i < v->frames && i < first + FRAMES_SHOWN; i++) {
        const struct replay_frame *f = &v->frame[i];
        const char *slash = strrchr(f->file, '/');
        fprintf(out, "%s%s", i > first ? " <- " : "", f->function[0] ? f->function : f->object);
        if (!f->function[0])
            fprintf(out, "+0x%" PRIx64, f->offset);
        if (f->line && i == first)
            fprintf(out, "  %s:%u ", slash ? slash + 1 : f->file, f->line);
        else if (i == first && f->function[0])
            fprintf(out, "  %s+0x%" PRIx64 " ", f->object, f->offset);
    }
    bool known = v->frames && v->frame[first].line; /* what other frames lack does not matter then */
    if (v->frames && v->frames_note[0] && !known) {
        fputc('\n', out);
        print_label("", style, out);
    }
    fprintf(out, "%s\n", known ? "" : v->frames_note);
}

#define STEP 17 /* columns of a step before its text: number and event */

/* The length of the piece of `text` that fits into so many columns, broken at a blank if there is one. */
static size_t piece_length(const char *text, size_t width)
{
    size_t length = strlen(text), last = 0;
    if (length <= width)
        return length;
    for (size_t i = 0; i <= width; i++)
        last = text[i] == ' ' ? i : last;
    return last ? last : width ? width : 1;
}

/* The text of a step in lines, each beside its piece of the drawing. */
static void print_pieces(const struct verdict *v, const struct verdict_style *style, size_t step, const char *text,
                         FILE *out)
{
    const struct verdict_beside *b = v->beside;
    size_t width = b->width > STEP ? b->width - STEP : 1;
    for (size_t n; *(text += strspn(text, " ")); text += n) {
        char piece[RAFT_WORDS];
        n = piece_length(text, width);
        snprintf(piece, sizeof piece, "%.*s", (int)n, text);
        text_plain(piece, out);
        fputc('\n', out);
        if (!text[n])
            break;
        print_label("", style, out);
        b->step(b->context, step, true, out);
        fprintf(out, "%*s", STEP, "");
    }
}

static const char *print_heads(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const struct verdict_beside *b = v->beside;
    for (size_t i = 0; b && i < b->heads; i++) {
        print_label(i ? "" : "CHAIN", style, out);
        b->head(b->context, i, out);
        fputc('\n', out);
    }
    return b && b->heads ? "" : "CHAIN";
}

static void print_steps(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const char *label = v->cause.steps ? print_heads(v, style, out) : "";
    for (size_t i = 0; i < v->cause.steps; i++, label = "") {
        const struct chain_step *step = &v->cause.step[i];
        const char *name = v->model->node[step->at.node].name, *text = step->text;
        char event[RAFT_NODE_NAME + 32];
        size_t length = strlen(name);
        verdict_event(v, &step->at, event, sizeof event);
        if (strncmp(text, name, length) == 0 && text[length] == ' ')
            text += length + 1; /* the event says who */
        else if (strncmp(text, name, length) == 0 && text[length] == ',')
            text += length + 2;
        print_label(label, style, out);
        if (v->beside)
            v->beside->step(v->beside->context, i, false, out);
        fprintf(out, "%-3zu %-12s ", i + 1, event);
        if (v->beside) {
            print_pieces(v, style, i, text, out);
            continue;
        }
        text_plain(text, out);
        fputc('\n', out);
    }
}

void verdict_cause_print(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    const struct raft_break *b = v->cause.rule_break;
    print_label(v->finding ? "CAUSE" : "RULE", style, out);
    if (!b) {
        fprintf(out, "unknown: no break of a rule was seen on which this depends\n");
        return;
    }
    if (v->cause.certainty == CERTAINTY_LIKELY)
        fprintf(out, "%slikely:%s ", style->warn, style->plain);
    if (v->cause.certainty == CERTAINTY_PROVED)
        fprintf(out, "%sproved:%s ", style->good, style->plain);
    print_class(v, b, out);
    print_label("", style, out);
    fprintf(out, "%s%s%s\n", style->faint, raft_classes[b->class].rule, style->plain);
    if (v->cause.settle[0]) {
        print_label("", style, out);
        fputs("not certain: ", out);
        text_plain(v->cause.settle, out);
        fputc('\n', out);
    }
    print_source(v, style, out);
    print_steps(v, style, out);
}

void verdict_breaks_print(const struct verdict *v, const struct verdict_style *style, FILE *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < v->model->breaks && shown < BREAKS_SHOWN; i++) {
        const struct raft_break *b = &v->model->rule_break[i];
        if (b == v->cause.rule_break)
            continue;
        print_label(shown++ ? "" : "ALSO SEEN", style, out);
        print_class(v, b, out);
    }
    if (v->model->breaks > shown + (v->cause.rule_break != NULL)) {
        print_label("", style, out);
        fprintf(out, "and more (drd explain --json)\n");
    }
}
