/* The explanation for an issue tracker: CommonMark and GitHub's tables. Whatever came from nodes stays text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "export/export.h"
#include "export/words.h"
#include "util/text.h"

/* Every ASCII punctuation character may be escaped by a backslash (CommonMark 2.4). '@' and '#' become entities: nobody is
 * mentioned and no issue is linked. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c > 0x7e)
            putc('?', out);
        else if (strchr("<>&@#", c))
            fprintf(out, "&#%d;", c);
        else if (strchr("\\`*_{}[]()!|~$", c))
            fprintf(out, "\\%c", c);
        else
            putc(c, out);
    }
}

/* A code span holds anything but its own end; in a table it may not hold '|' either (GFM 4.10). */
static void put_code(FILE *out, const char *text)
{
    putc('`', out);
    for (; *text; text++)
        putc((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e || *text == '`' || *text == '|' ? '?' : *text, out);
    putc('`', out);
}

static void put_event(FILE *out, const struct verdict *v, const struct raft_witness *w)
{
    char event[RAFT_NODE_NAME + 32];
    verdict_event(v, w, event, sizeof event);
    put_code(out, event);
}

static void put_verdict(FILE *out, const struct verdict *v)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (memory && v->finding)
        verdict_headline(v, v->finding, memory);
    else if (memory)
        fputs(v->status == VERDICT_NONE ? "No property of Raft was broken"
                                        : "Unknown: nothing broken was seen, but not all could be seen", memory);
    if (memory)
        fclose(memory);
    fputs(v->finding && v->status == VERDICT_UNKNOWN ? "**Unknown; if all these nodes are one cluster: " : "**", out);
    put_text(out, text ? text : "");
    fputs(v->finding && !v->finding->seen ? " \\(inferred\\)**\n" : "**\n", out);
    free(text);
}

static void put_source(FILE *out, const struct verdict *v)
{
    char frame[512];
    if (!v->frames)
        return;
    fputs("\n    ", out); /* a block of code */
    for (size_t i = verdict_frame_first(v), first = i; i < v->frames && i < first + 4; i++) {
        const struct replay_frame *f = &v->frame[i];
        const char *slash = strrchr(f->file, '/');
        if (f->line)
            snprintf(frame, sizeof frame, "%s  %s:%u", f->function, slash ? slash + 1 : f->file, f->line);
        else
            snprintf(frame, sizeof frame, "%s+0x%" PRIx64, f->function[0] ? f->function : f->object, f->offset);
        fprintf(out, "%s%s", i > first ? " <- " : "", words_clean(frame));
    }
    putc('\n', out);
}

static void put_cause(FILE *out, const struct verdict *v)
{
    const struct raft_break *b = v->cause.rule_break;
    fprintf(out, "\n### %s\n\n", v->finding ? "Cause" : "Rule broken");
    if (!b) {
        fputs("Unknown: no break of a rule was seen on which this depends.\n", out);
        return;
    }
    fputs(v->cause.certainty == CERTAINTY_LIKELY ? "Likely: " : "", out);
    put_text(out, b->text);
    fputs(" at ", out);
    put_event(out, v, &b->at);
    fputs(".\n\n> ", out);
    put_text(out, raft_classes[b->class].rule);
    fprintf(out, " (%s, ", raft_classes[b->class].id);
    put_text(out, raft_classes[b->class].reference);
    fputs(")\n", out);
    if (v->cause.settle[0]) {
        fputs("\nNot certain: ", out);
        put_text(out, v->cause.settle);
        putc('\n', out);
    }
    put_source(out, v);
}

static void put_chain(FILE *out, const struct verdict *v)
{
    char text[RAFT_WORDS];
    if (!v->cause.steps)
        return;
    fputs("\n### What happened\n\n", out);
    for (size_t i = 0; i < v->cause.steps; i++) {
        fprintf(out, "%zu. ", i + 1);
        put_event(out, v, &v->cause.step[i].at);
        putc(' ', out);
        put_text(out, export_step(v, i, text, sizeof text));
        putc('\n', out);
    }
}

/* A line to copy: a shell must take what others named as one word each. */
static void put_word(FILE *out, const char *text)
{
    putc(' ', out);
    text_shell(text, out);
}

static void put_reproduce(FILE *out, const struct verdict *v, const char *run)
{
    const struct raft_witness *w = v->cause.rule_break ? &v->cause.rule_break->at
                                   : v->finding ? verdict_first(v->finding) : NULL;
    struct verdict_fingerprint f;
    char event[RAFT_NODE_NAME + 32];
    if (!w)
        return;
    verdict_event(v, w, event, sizeof event);
    fputs("\n### Reproduce\n\n    drd replay", out);
    put_word(out, run);
    fputs(" --node", out);
    put_word(out, v->model->node[w->node].name);
    fputs(" --until", out);
    put_word(out, event);
    fputs(" --gdb\n", out);
    if (verdict_fingerprint(v, &f))
        fprintf(out, "\nThe same bug elsewhere has the fingerprint `%d:%s`.\n", f.algorithm, f.value);
}

static void put_fact(FILE *out, const struct export_run *run, const char *key, const char *label)
{
    char value[512];
    if (!store_fact(run->store, key, value, sizeof value) || !*value)
        return;
    fprintf(out, "| %s | ", label);
    put_code(out, value);
    fputs(" |\n", out);
}

static void put_environment(FILE *out, const struct export_run *run)
{
    const struct verdict *v = run->verdict;
    char line[RAFT_NODE_NAME + 128];
    fputs("\n### Environment\n\n| | |\n| --- | --- |\n", out);
    put_fact(out, run, "command", "command");
    put_fact(out, run, "started", "recorded");
    put_fact(out, run, "host", "host");
    put_fact(out, run, "kernel", "kernel");
    put_fact(out, run, "drd_version", "drd");
    for (size_t i = 0; i < run->processes; i++) {
        const struct store_process *p = &run->process[i];
        const char *slash = p->exe ? strrchr(p->exe, '/') : NULL;
        bool member = false;
        for (size_t n = 0; n < v->model->nodes; n++)
            member |= verdict_member(v, n) && !strcmp(v->model->node[n].name, p->node);
        if (!member)
            continue;
        snprintf(line, sizeof line, "%.60s, process %" PRIu32 ", %" PRIu64 " events", 
                 slash ? slash + 1 : p->exe ? p->exe : "?",
                 p->number, p->events);
        fputs("| ", out);
        put_code(out, p->node);
        fputs(" | ", out);
        put_code(out, line);
        fputs(" |\n", out);
    }
    for (size_t i = 0; i < v->gaps; i++) {
        fputs(i ? "" : "\nNot seen:\n\n", out);
        fputs("- ", out);
        put_text(out, v->gap[i].text);
        putc('\n', out);
    }
}

static bool markdown_write(const struct export_run *run, FILE *out, struct export_result *result, struct drd_error *e)
{
    const struct verdict *v = run->verdict;
    (void)e;
    if (!v->model->nodes)
        return true;
    put_verdict(out, v);
    if (v->finding || v->cause.rule_break)
        put_cause(out, v);
    put_chain(out, v);
    put_reproduce(out, v, run->name);
    put_environment(out, run);
    result->events = 1;
    return true;
}

const struct export_format export_markdown = {
    .name = "markdown",
    .nothing = "no Raft in this run: no message, file or mark that DRD knows as such",
    .verdict = true,
    .write = markdown_write,
};
