/* A proof, for people. */
#include <string.h>

#include "explain/explain.h"
#include "util/text.h"

#define LABEL "%-11s"
#define CURVE 10
#define TRIED_SHOWN 6

static void print_label(const char *label, const struct verdict_style *style, FILE *out)
{
    fprintf(out, "%s" LABEL "%s", style->strong, label, style->plain);
}

static unsigned runs_all(const struct proof *p)
{
    unsigned runs = 0;
    for (size_t i = 0; i < p->trials; i++)
        runs += p->trial[i].changed.runs;
    return runs;
}

void proof_words(const struct proof *p, char *out, size_t size)
{
    const struct proof_trial *t = p->state == PROOF_PROVED ? &p->trial[p->proving] : NULL;
    if (t)
        snprintf(out, size, "%s: gone in %u of %u runs; without that change it is there in %u of %u", t->text, t->changed.gone,
                 t->changed.runs, t->unchanged.same, t->unchanged.runs);
    else if (p->state == PROOF_HOLDS)
        snprintf(out, size, "none: with each of %zu changes, one at a time, it is there all the same (%u runs): it hangs on none of these inputs",
                 p->trials, runs_all(p));
    else if (!p->trials)
        snprintf(out, size, "none: there is no input of the chain that could be changed");
    else
        snprintf(out, size, "none: of %zu changes, one at a time, none takes it away in all runs and leaves all that can be judged",
                 p->trials);
}

/* ---- what was tried ---- */

void proof_print_count(const struct proof_count *c, FILE *out)
{
    fprintf(out, "gone in %u of %u", c->gone, c->runs);
    if (c->same)
        fprintf(out, ", there in %u", c->same);
    if (c->other)
        fprintf(out, ", another violation in %u", c->other);
    if (c->open)
        fprintf(out, ", %u cannot be judged", c->open);
}

static void print_trial(const struct proof_trial *t, FILE *out)
{
    text_plain(*t->option ? t->option : t->text, out);
    fputs(": ", out);
    proof_print_count(&t->changed, out);
    if (t->changed.gone && t->changed.broke)
        fprintf(out, " (the rule is broken in %u)", t->changed.broke);
    if (t->unchanged.runs && t->unchanged.same < t->unchanged.runs)
        fprintf(out, "; without it there in %u of %u", t->unchanged.same, t->unchanged.runs);
    fputc('\n', out);
}

static void print_tried(const struct proof *p, const struct verdict_style *style, FILE *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < p->trials; i++) {
        if (p->state == PROOF_PROVED && i == p->proving)
            continue;
        if (shown == TRIED_SHOWN) {
            print_label("", style, out);
            fprintf(out, "and more (drd explain --json)\n");
            return;
        }
        print_label("", style, out);
        fputs(shown++ ? "       " : "tried  ", out);
        print_trial(&p->trial[i], out);
    }
}

/* What became of the test, where it did not succeed: whoever reads this should know that it went no further. */
static void print_end(const struct proof_trial *t, const struct verdict_style *style, FILE *out)
{
    if (t->changed.passed == t->changed.runs)
        return;
    print_label("", style, out);
    fprintf(out, "each of these runs went on past that moment%s; the command succeeded in %u\n",
            t->decision ? "" : ", and the rule was not broken", t->changed.passed);
}

/* "--drop n3@536", "--draw n1@7=1 --draw n2@9=1": it stands in the run's file, which may be anybody's. */
static bool are_options(const char *text)
{
    for (const char *end; !strncmp(text, "--", 2); text = end + 1) {
        size_t length = strspn(text, "-abcdefghijklmnopqrstuvwxyz");
        if (length == 2 || text[length] != ' ' || text[length + 1] == '-' || !text[length + 1])
            return false;
        end = strchr(text + length + 1, ' ');
        if (!end)
            return true;
    }
    return false;
}

/* To be pasted. */
static void print_whatif(const struct proof_trial *t, const char *run, const struct verdict_style *style, FILE *out)
{
    char option[sizeof t->option], *rest = option, *word;
    snprintf(option, sizeof option, "%s", t->option);
    if (style->redacted || !are_options(t->option))
        return;
    print_label("", style, out);
    fputs("drd whatif ", out);
    text_shell(run, out);
    while ((word = strsep(&rest, " "))) {
        putc(' ', out);
        if (!strncmp(word, "--", 2))
            fputs(word, out);
        else
            text_shell(word, out);
    }
    fprintf(out, " --seeds %u\n", t->changed.runs);
}

static void print_proof(const struct proof *p, const char *run, const struct verdict_style *style, FILE *out)
{
    char words[2 * PROOF_WORDS];
    proof_words(p, words, sizeof words);
    print_label("PROOF", style, out);
    fputs(p->state == PROOF_PROVED ? style->good : "", out);
    text_plain(words, out);
    fprintf(out, "%s%s\n", p->state == PROOF_PROVED ? style->plain : "", p->stopped ? " (stopped early)" : "");
    if (p->state == PROOF_PROVED) {
        const struct proof_trial *t = &p->trial[p->proving];
        print_end(t, style, out);
        print_whatif(t, run, style, out);
    }
    print_tried(p, style, out);
}

/* ---- when it was decided ---- */

static void print_point(const struct proof_point *point, FILE *out)
{
    const struct proof_count *c = &point->count;
    unsigned full = c->runs ? (c->same * CURVE + c->runs / 2) / c->runs : 0;
    char number[16] = "";
    if (point->step)
        snprintf(number, sizeof number, "%u", point->step);
    fprintf(out, "%-3s ", number);
    fprintf(out, "%-12.40s ", point->step ? point->event : "another seed");
    for (unsigned i = 0; i < CURVE; i++)
        fputc(i < full ? '#' : '.', out);
    fprintf(out, "  %u of %u", c->same, c->runs);
    if (c->other)
        fprintf(out, ", another violation in %u", c->other);
    if (c->open)
        fprintf(out, ", %u cannot be judged", c->open);
    fputc('\n', out);
}

static void print_decided(const struct proof *p, const struct verdict_style *style, FILE *out)
{
    if (!p->points)
        return;
    print_label("DECIDED", style, out);
    fprintf(out, "share of the continuations by fresh seeds that still fail, from each step on\n");
    for (size_t i = 0; i < p->points; i++) {
        print_label("", style, out);
        print_point(&p->point[i], out);
    }
}

void proof_print(const struct verdict *v, const char *run, const struct verdict_style *style, FILE *out)
{
    if (!v->proof)
        return;
    print_proof(v->proof, run, style, out);
    print_decided(v->proof, style, out);
}
