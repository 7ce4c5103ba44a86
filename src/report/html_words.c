/* The parts of the page that are words: verdict, explanation, chain. They are markup, and can be read without JavaScript. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "util/text.h"

#define FRAMES_SHOWN 4
#define ALSO_SHOWN 6

static const struct store_process *process_of(const struct report_run *r, uint32_t number)
{
    for (size_t i = 0; i < r->scene.processes; i++) {
        if (r->scene.process[i].number == number)
            return &r->scene.process[i];
    }
    return NULL;
}

void report_event(const struct report *r, size_t run, uint32_t process, uint64_t sequence, char *out, size_t size)
{
    const struct store_process *p = process_of(&r->run[run], process);
    if (p)
        event_name(p, sequence, out, size);
    else
        snprintf(out, size, "process %" PRIu32 "@%" PRIu64, process, sequence);
}

void report_link(const struct report *r, size_t run, const struct raft_witness *at, FILE *out)
{
    char name[RAFT_NODE_NAME + 64];
    report_event(r, run, at->process, at->sequence, name, sizeof name);
    fputs("<a class=\"event\" href=\"#", out);
    html_printf(out, "%s%s", r->runs > 1 ? run ? "B:" : "A:" : "", name);
    fputs("\">", out);
    html_put(out, name);
    fputs("</a>", out);
}

static bool is_name(const char *text, size_t length, const struct scene *s)
{
    for (size_t i = 0; i < s->lanes; i++) {
        if (strlen(s->lane[i].name) == length && !strncmp(s->lane[i].name, text, length))
            return true;
    }
    return false;
}

/* How much of the text is the name of an event of a node that is drawn: "s0@78". 0: none. */
static size_t event_length(const char *text, const struct scene *s)
{
    size_t name = strcspn(text, "@ ,;()"), digits = text[name] == '@' ? strspn(text + name + 1, "0123456789") : 0;
    return digits && is_name(text, name, s) ? name + 1 + digits : 0;
}

/* Words in which events are named: the names are links. */
static void put_linked(const struct report *r, size_t run, const char *text, FILE *out)
{
    char plain[RAFT_WORDS + 1];
    size_t used = 0, length;
    for (const char *p = text; *p; p += length) {
        length = p == text || strchr(" (", p[-1]) ? event_length(p, &r->run[run].scene) : 0;
        if (!length && used < sizeof plain - 1) {
            plain[used++] = *p;
            length = 1;
            continue;
        }
        plain[used] = '\0';
        html_put(out, plain);
        used = 0;
        if (!length)
            continue;
        fputs("<a class=\"event\" href=\"#", out);
        html_printf(out, "%s%.*s", r->runs > 1 ? run ? "B:" : "A:" : "", (int)length, p);
        fputs("\">", out);
        html_printf(out, "%.*s", (int)length, p);
        fputs("</a>", out);
    }
    plain[used] = '\0';
    html_put(out, plain);
}

/* What verdict_headline prints, as a string to be freed. */
static char *headline(const struct verdict *v, const struct raft_finding *f)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    verdict_headline(v, f, out);
    fclose(out);
    return text;
}

static void put_headline(const struct verdict *v, const struct raft_finding *f, FILE *out)
{
    char *text = headline(v, f);
    html_put(out, text ? text : "");
    free(text);
}

static const char *verdict_class(const struct verdict *v)
{
    return v->status == VERDICT_NONE ? "good" : v->finding && v->status == VERDICT_VIOLATED ? "bad" : "warn";
}

static void put_summary(const struct verdict *v, FILE *out)
{
    if (v->finding && v->status == VERDICT_UNKNOWN)
        fputs("Unknown; if all these nodes are one cluster: ", out);
    if (v->finding)
        put_headline(v, v->finding, out);
    else
        fputs(v->status == VERDICT_NONE ? "No property of Raft was broken"
              : "Nothing broken was seen, but not all could be seen", out);
    if (v->finding && !v->finding->seen)
        fputs(" (inferred)", out);
}

void report_title(const struct report *r, FILE *out)
{
    for (size_t i = 0; i < r->runs; i++) {
        fputs(i ? " | " : "", out);
        html_printf(out, "%s: ", r->run[i].name);
        put_summary(r->run[i].verdict, out);
    }
}

/* --- the verdict --- */

/* A word of a command that is to be pasted into a shell: the names of nodes and files are anything. */
static void put_word(const char *word, FILE *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,=-";
    if (*word && *word != '-' && word[strspn(word, plain)] == '\0') {
        html_put(out, word);
        return;
    }
    fputs("&#39;", out);
    for (; *word; word++) {
        char one[] = {*word, '\0'};
        if (*word == '\'')
            fputs("&#39;\\&#39;&#39;", out);
        else if ((unsigned char)*word < 0x80)
            html_put(out, one);
        else
            putc('?', out); /* who has such a name sees in the page what it is */
    }
    fputs("&#39;", out);
}

static void put_command(const struct report *r, size_t run, FILE *out)
{
    const struct verdict *v = r->run[run].verdict;
    const struct raft_witness *w = v->cause.rule_break ? &v->cause.rule_break->at : v->finding ? verdict_first(v->finding)
        : NULL;
    char event[RAFT_NODE_NAME + 64];
    fprintf(out, "<div class=\"reproduce\"><span class=\"label\" id=\"reproduce%zu\">Reproduce</span><code id=\"command%zu\">", run, run);
    if (w) {
        report_event(r, run, w->process, w->sequence, event, sizeof event);
        fputs("drd replay ", out);
        put_word(r->run[run].name, out);
        fputs(" --node ", out);
        put_word(v->model->node[w->node].name, out);
        fputs(" --until ", out);
        put_word(event, out);
        fputs(" --gdb", out);
    } else {
        fputs("drd replay ", out);
        put_word(r->run[run].name, out);
    }
    fprintf(out, "</code><button type=\"button\" class=\"copy\" data-copy=\"command%zu\" hidden>Copy</button></div>\n", run);
}

static void put_badges(const struct verdict *v, FILE *out)
{
    static const char *const status[] = {
        [VERDICT_NONE] = "No violation", [VERDICT_VIOLATED] = "Violated", [VERDICT_UNKNOWN] = "Unknown"};
    struct verdict_fingerprint f;
    fprintf(out, "<p class=\"badges\"><span class=\"badge status\">%s</span>", status[v->status]);
    if (v->finding)
        fprintf(out, "<span class=\"badge\">%s</span>", raft_property_names[v->finding->property].name);
    if (v->cause.rule_break)
        fprintf(out, "<span class=\"badge\">%s</span>", raft_classes[v->cause.rule_break->class].id);
    if (verdict_fingerprint(v, &f)) {
        fputs("<span class=\"badge\" title=\"the same bug has the same fingerprint in every run\">fingerprint ", out);
        html_printf(out, "%d:%s", f.algorithm, f.value);
        fputs("</span>", out);
    }
    fputs("</p>\n", out);
}

void report_verdict(const struct report *r, size_t run, FILE *out)
{
    const struct verdict *v = r->run[run].verdict;
    fprintf(out, "<section class=\"verdict %s\" aria-label=\"Verdict\">\n", verdict_class(v));
    if (r->runs > 1) {
        fprintf(out, "<p class=\"side\">%c: ", run ? 'B' : 'A');
        html_put(out, r->run[run].name);
        fputs("</p>\n", out);
    }
    put_badges(v, out);
    fputs(r->runs > 1 ? "<h2>" : "<h1>", out);
    put_summary(v, out);
    fputs(r->runs > 1 ? "</h2>\n" : "</h1>\n", out);
    if (v->cause.rule_break) {
        fprintf(out, "<p class=\"because\">%s ", v->cause.certainty == CERTAINTY_LIKELY ? "Likely because"
                : v->cause.certainty == CERTAINTY_PROVED && v->finding ? "Proved: because" : v->finding ? "Because" : "A rule was broken:");
        html_put(out, v->cause.rule_break->text);
        fputs(" (", out);
        report_link(r, run, &v->cause.rule_break->at, out);
        fputs(").</p>\n", out);
    }
    put_command(r, run, out);
    fputs("</section>\n", out);
}

/* --- in words --- */

static void put_property(const struct verdict *v, FILE *out)
{
    const struct raft_property_name *p = v->finding ? &raft_property_names[v->finding->property] : NULL;
    if (!p)
        return;
    fputs("<p><strong>What broke.</strong> ", out);
    html_printf(out, "%s: %s (%s).", p->name, p->statement, p->reference);
    fputs("</p>\n", out);
}

static void put_cause(const struct report *r, size_t run, FILE *out)
{
    const struct verdict *v = r->run[run].verdict;
    const struct raft_break *b = v->cause.rule_break;
    if (!b && !v->finding)
        return;
    fprintf(out, "<p><strong>%s</strong> ", v->finding ? "Why."
            : "A rule was broken, and nothing came of it that was seen.");
    if (!b) {
        fputs("Unknown: no break of a rule was seen on which this depends.</p>\n", out);
        return;
    }
    fputs(v->cause.certainty == CERTAINTY_LIKELY ? "Likely, " : "At ", out);
    report_link(r, run, &b->at, out);
    fputs(" ", out);
    html_put(out, b->text);
    html_printf(out, " [%s, %s]. ", raft_classes[b->class].id, raft_classes[b->class].reference);
    fputs("</p>\n<blockquote><p>", out);
    html_put(out, raft_classes[b->class].rule);
    html_printf(out, " — the Raft paper, %s", raft_classes[b->class].reference);
    fputs("</p></blockquote>\n", out);
    if (v->cause.settle[0]) {
        fputs("<p>Not certain: ", out);
        html_put(out, v->cause.settle);
        fputs(".</p>\n", out);
    }
}

/* What was tried beside the change that proves it. */
static void put_tried(const struct proof *p, FILE *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < p->trials; i++) {
        const struct proof_trial *t = &p->trial[i];
        if (p->state == PROOF_PROVED && i == p->proving)
            continue;
        fputs(shown++ ? "<li>" : "<details><summary>Other changes that were tried</summary><ul>\n<li>", out);
        html_put(out, t->text);
        if (*t->option) {
            fputs(" (<code>", out);
            html_put(out, t->option);
            fputs("</code>)", out);
        }
        fputs(": ", out);
        proof_print_count(&t->changed, out);
        fputs("</li>\n", out);
    }
    fputs(shown ? "</ul></details>\n" : "", out);
}

/* A bar is drawn without a script; its numbers stand beside it. */
static void put_point(const struct proof_point *point, FILE *out)
{
    const struct proof_count *c = &point->count;
    unsigned most = c->runs ? c->runs : 1;
    fputs("<tr><th scope=\"row\">", out);
    if (point->step)
        fprintf(out, "%u</th><td>", point->step);
    else
        fputs("</th><td>", out);
    html_put(out, point->step ? point->event : "another seed");
    fprintf(out, "</td><td><svg class=\"share\" width=\"150\" height=\"12\" role=\"img\" aria-label=\"%u of %u\"><rect class=\"all\""
            " width=\"150\" height=\"12\"/><rect class=\"fail\" width=\"%u\" height=\"12\"/></svg></td>", c->same, c->runs,
            150 * (c->same < most ? c->same : most) / most);
    fprintf(out, "<td>%u of %u", c->same, c->runs);
    if (c->other)
        fprintf(out, ", another violation in %u", c->other);
    if (c->open)
        fprintf(out, ", %u not judged", c->open);
    fputs("</td></tr>\n", out);
}

static void put_proof(const struct verdict *v, FILE *out)
{
    const struct proof *p = v->proof;
    char words[2 * PROOF_WORDS];
    if (!p)
        return;
    proof_words(p, words, sizeof words);
    fprintf(out, "<p class=\"proof\"><strong>%s</strong> ", p->state == PROOF_PROVED ? "Proved." : "Proof:");
    html_put(out, words);
    fputs(".", out);
    if (p->state == PROOF_PROVED && *p->trial[p->proving].option) {
        fputs(" <code>drd whatif ", out);
        html_put(out, p->trial[p->proving].option);
        fputs("</code>", out);
    }
    fputs("</p>\n", out);
    put_tried(p, out);
    if (!p->points)
        return;
    fputs("<table class=\"decided\"><caption>When it was decided: the share of the continuations by fresh seeds that still fail, from each step"
          " of the chain on</caption>\n", out);
    for (size_t i = 0; i < p->points; i++)
        put_point(&p->point[i], out);
    fputs("</table>\n", out);
}

static void put_frame(const struct replay_frame *f, bool first, FILE *out)
{
    const char *slash = strrchr(f->file, '/');
    fputs(first ? "" : " ← ", out);
    if (f->function[0])
        html_put(out, f->function);
    else
        html_printf(out, "%s+0x%" PRIx64, f->object, f->offset);
    if (f->line && first)
        html_printf(out, "  %s:%u", slash ? slash + 1 : f->file, f->line);
}

static void put_source(const struct verdict *v, FILE *out)
{
    size_t first = verdict_frame_first(v);
    if (!v->frames && !v->frames_note[0])
        return;
    fputs("<p><strong>Where in the program.</strong> <code>", out);
    for (size_t i = first; i < v->frames && i < first + FRAMES_SHOWN; i++)
        put_frame(&v->frame[i], i == first, out);
    fputs("</code> ", out);
    if (!v->frames || !v->frame[first].line)
        html_put(out, v->frames_note);
    fputs("</p>\n", out);
}

static void put_checked(const struct verdict *v, FILE *out)
{
    const struct raft_model *m = v->model;
    char messages[TEXT_MAX], committed[TEXT_MAX], compared[TEXT_MAX];
    if (v->finding || !m->nodes)
        return;
    fputs("<p><strong>What was checked.</strong> ", out);
    html_printf(out, "State Machine Safety, Leader Completeness, Election Safety, Log Matching, Leader Append-Only: %s Raft messages; "
                "%s times a node committed an entry, %s of them compared with another node's.",
                text_count(m->messages, messages, sizeof messages), text_count(m->committed, committed, sizeof committed),
                text_count(m->compared, compared, sizeof compared));
    fputs("</p>\n", out);
}

static void put_also(const struct verdict *v, FILE *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < v->model->findings && shown < ALSO_SHOWN; i++) {
        if (&v->model->finding[i] == v->finding)
            continue;
        fputs(shown++ ? "<li>" : "<p><strong>Also broken.</strong></p>\n<ul><li>", out);
        put_headline(v, &v->model->finding[i], out);
        fputs("</li>\n", out);
    }
    if (shown && v->model->findings > shown + 1)
        html_printf(out, "and %zu more", v->model->findings - shown - 1);
    fputs(shown ? "</ul>\n" : "", out);
}

static void put_breaks(const struct report *r, size_t run, FILE *out)
{
    const struct verdict *v = r->run[run].verdict;
    size_t shown = 0;
    for (size_t i = 0; i < v->model->breaks && shown < ALSO_SHOWN; i++) {
        const struct raft_break *b = &v->model->rule_break[i];
        if (b == v->cause.rule_break)
            continue;
        fputs(shown++ ? "<li>" : "<p><strong>Other rules broken</strong>, on which this does not depend:</p>\n<ul><li>",
              out);
        report_link(r, run, &b->at, out);
        html_printf(out, " %s [%s]", b->text, raft_classes[b->class].id);
        fputs("</li>\n", out);
    }
    fputs(shown ? "</ul>\n" : "", out);
}

static void put_gaps(const struct verdict *v, FILE *out)
{
    for (size_t i = 0; i < v->gaps; i++) {
        fputs(i ? "<li>" : "<p><strong>Not seen.</strong></p>\n<ul class=\"gaps\"><li>", out);
        html_put(out, v->gap[i].text);
        fputs("</li>\n", out);
    }
    fputs(v->gaps ? "</ul>\n" : "", out);
}

void report_words(const struct report *r, size_t run, FILE *out)
{
    const struct verdict *v = r->run[run].verdict;
    put_property(v, out);
    put_cause(r, run, out);
    put_proof(v, out);
    put_source(v, out);
    put_checked(v, out);
    put_also(v, out);
    put_breaks(r, run, out);
    put_gaps(v, out);
}

/* --- the chain --- */

static bool shows_violation(const struct verdict *v, const struct raft_witness *at)
{
    for (size_t i = 0; v->finding && i < v->finding->sides; i++) {
        const struct raft_side *side = &v->finding->side[i];
        for (size_t w = 0; w < side->witnesses; w++) {
            if (side->witness[w].process == at->process && side->witness[w].sequence == at->sequence)
                return true;
        }
    }
    return false;
}

static const char *step_class(const struct verdict *v, const struct chain_step *step)
{
    const struct raft_break *b = v->cause.rule_break;
    if (b && b->at.process == step->at.process && b->at.sequence == step->at.sequence)
        return "cause";
    return shows_violation(v, &step->at) ? "violation" : "";
}

/* The event in front says who. */
static const char *step_text(const char *text, const char *node)
{
    size_t length = strlen(node);
    if (strncmp(text, node, length) != 0)
        return text;
    return text[length] == ' ' ? text + length + 1 : text[length] == ',' ? text + length + 2 : text;
}

static void put_time(const struct report_run *r, const struct raft_witness *at, FILE *out)
{
    char when[TEXT_MAX];
    uint32_t event = scene_find(&r->scene, at->process, at->sequence);
    if (event == SCENE_NONE || r->scene.event[event].sequence != at->sequence)
        return;
    uint64_t time = r->scene.event[event].time;
    fputs("<span class=\"when\">", out);
    html_put(out, text_duration(time > r->scene.begin ? time - r->scene.begin : 0, when, sizeof when));
    fputs("</span>", out);
}

void report_chain(const struct report *r, size_t run, FILE *out)
{
    const struct verdict *v = r->run[run].verdict;
    fputs(v->cause.steps ? "<ol class=\"chain\">\n" : "<p>There is no chain of events to tell.</p>\n", out);
    for (size_t i = 0; i < v->cause.steps; i++) {
        const struct chain_step *step = &v->cause.step[i];
        const char *class = step_class(v, step);
        fprintf(out, "<li class=\"step %s\" data-run=\"%zu\" data-step=\"%zu\"><span class=\"number\" aria-hidden=\"true\">%zu</span><div>",
                class, run, i, i + 1);
        report_link(r, run, &step->at, out);
        put_time(&r->run[run], &step->at, out);
        fprintf(out, "%s<p>", *class == 'c' ? "<span class=\"tag\">cause</span>" : *class
                ? "<span class=\"tag\">violation</span>" : "");
        put_linked(r, run, step_text(step->text, v->model->node[step->at.node].name), out);
        fputs("</p></div></li>\n", out);
    }
    fputs(v->cause.steps ? "</ol>\n" : "", out);
}
